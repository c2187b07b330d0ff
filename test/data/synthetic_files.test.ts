import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ensureSample,
  synthesize,
  syntheticSpec,
  writeSynthetic,
  SYNTHETIC_MARK,
} from '../../data/synthetic.js';

function withFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'synthetic-'));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

const writing = suite('writeSynthetic');
const small = { name: 'tiny', users: 20, items: 30, interactions: 200 };

writing(
  'writes the files and a mark, and settings where the name is new',
  withFolder(async (folder) => {
    const directory = await writeSynthetic(syntheticSpec(small), join(folder, 'deep', 'er'));
    assert.is(directory, join(folder, 'deep', 'er', 'tiny'));
    const files = ['tiny.inter', 'tiny.item', 'tiny.user'];
    assert.equal(readdirSync(directory).sort(), [SYNTHETIC_MARK, ...files, 'tiny.yaml'].sort());
    assert.equal(readdirSync(join(folder, 'deep', 'er')), ['tiny']);
    const text = [...synthesize(syntheticSpec(small))].filter(({ source }) => source === 'inter');
    assert.is(readFileSync(join(directory, 'tiny.inter'), 'utf8'), text.map((chunk) => chunk.text).join(''));
    const mark = JSON.parse(readFileSync(join(directory, SYNTHETIC_MARK), 'utf8'));
    assert.equal([mark.like, mark.users, mark.seed], ['sample', 20, 2020]);
    const yaml = readFileSync(join(directory, 'tiny.yaml'), 'utf8');
    assert.match(yaml, '  user: [user_id, age, gender, occupation, activity]\n');
    assert.match(yaml, 'numerical_features: [activity, popularity]\n');
  }),
);

writing(
  'never overwrites, and cleans up after a failure',
  withFolder(async (folder) => {
    const spec = syntheticSpec(small);
    await writeSynthetic(spec, folder);
    const refusal = await writeSynthetic({ ...spec, seed: 1 }, folder).catch(String);
    assert.match(
      refusal,
      /DataError: .*tiny: it is there already and is not overwritten; remove it or choose another/,
    );
    const broken = { ...spec, name: 'broken', item: [{ ...spec.item[0], cells: { kind: 'nonsense' } }] };
    // A spec no type would let through stands for any failure on the way.
    assert.match(await writeSynthetic(broken as unknown as typeof spec, folder).catch(String), 'TypeError');
    assert.equal(readdirSync(folder), ['tiny']);
  }),
);

writing.run();

const sample = suite('ensureSample');

sample(
  'makes the sample once',
  withFolder(async (folder) => {
    assert.is(await ensureSample(folder), true);
    const before = readFileSync(join(folder, 'sample', 'sample.inter'));
    assert.is(await ensureSample(folder), false);
    assert.ok(before.equals(readFileSync(join(folder, 'sample', 'sample.inter'))));
    assert.not.ok(existsSync(join(folder, 'sample', 'sample.yaml')));
  }),
);

sample(
  'bears three processes at once',
  withFolder(async (folder) => {
    const module = new URL('../../data/synthetic.js', import.meta.url).href;
    const code = `const { ensureSample } = await import(${JSON.stringify(module)}); await ensureSample(${JSON.stringify(folder)});`;
    const run = () =>
      new Promise((resolve) => {
        spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' }).on(
          'close',
          resolve,
        );
      });
    assert.equal(await Promise.all([run(), run(), run()]), [0, 0, 0]);
    assert.equal(readdirSync(folder), ['sample']);
    const lines = readFileSync(join(folder, 'sample', 'sample.inter'), 'utf8').split('\n');
    assert.is(lines.length, 100_002);
  }),
);

sample(
  'refuses a directory that holds something else',
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'sample', 'x'), { recursive: true });
    assert.match(String(await ensureSample(folder).catch(String)), /sample: it is there already/);
  }),
);

sample.run();
