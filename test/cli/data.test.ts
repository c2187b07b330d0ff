import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skipUnless } from '../support/skip.js';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const script = resolve('cli/data.js');

/** `node cli/data.js …` in `folder`, to its end. */
function run(folder: string, ...argv: readonly string[]): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...argv], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => done({ code, out, err }));
  });
}

/** Ended with 1, nothing on stdout, and one line on stderr. */
function refused({ code, out, err }: Ended, message: RegExp): void {
  assert.is(code, 1);
  assert.is(out, '');
  assert.match(err, message);
  assert.is(err.trimEnd().split('\n').length, 1, err);
}

function inFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'data-'));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

const words = suite('data');

words(
  'says what it can do',
  inFolder(async (folder) => {
    for (const flag of ['--help', '-h', 'help']) {
      const { code, out, err } = await run(folder, flag);
      assert.equal([code, err], [0, '']);
      assert.match(out, /data\.js prepare .*\n.*data\.js download .*\n.*data\.js synth .*\n.*data\.js info /);
    }
  }),
);

words(
  'refuses what is no command',
  inFolder(async (folder) => {
    refused(
      await run(folder),
      /^data: no command: the first word says what to do; give prepare or download or synth or info\n$/,
    );
    refused(await run(folder, '--like=ml-1m'), /^data: --like=ml-1m: the first word says what to do/);
    refused(await run(folder, 'sinth'), /^data: sinth: no such command; did you mean synth\?/);
    refused(
      await run(folder, 'constructor'),
      /^data: constructor: no such command; have prepare, download, synth, info/,
    );
  }),
);

words.run();

const synth = suite('data synth');

synth(
  'writes the sample where it is looked for',
  inFolder(async (folder) => {
    const { code, out, err } = await run(folder, 'synth');
    assert.equal([code, err], [0, '']);
    assert.match(out, /^dataset\/sample: writing 1,500 users, 1,000 items, 100,000 interactions, synthetic/);
    assert.match(out, 'node cli/train.js --model=FM --dataset=sample --multi_cls=5\n');
    assert.equal(readdirSync(join(folder, 'dataset', 'sample')).sort(), [
      'sample.inter',
      'sample.item',
      'sample.user',
      'synthetic.json',
    ]);
  }),
);

synth(
  'takes size, seed, name and place, the same seed giving the same files',
  inFolder(async (folder) => {
    const size = ['--users=30', '--items', '20', '--interactions=150'];
    const made = async (out: string, seed: string) => {
      const { code } = await run(folder, 'synth', ...size, '--name=mine', `--out=${out}`, `--seed=${seed}`);
      assert.is(code, 0);
      return readFileSync(join(folder, out, 'mine', 'mine.inter'), 'utf8');
    };
    const first = await made('a', '3');
    assert.is(first.split('\n').length, 152);
    assert.is(await made('b', '3'), first);
    assert.is.not(await made('c', '4'), first);
  }),
);

synth(
  'refuses bad values, each in one line',
  inFolder(async (folder) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['--scal=0.1', /--scal=0\.1: no such option; did you mean scale\?/],
      ['--scale=0', /--scale=0: out of range; it must be above 0/],
      ['--scale=small', /--scale=small: not a number/],
      ['--users=1.5', /--users=1\.5: not a whole number/],
      ['--items=-1', /--items=-1: out of range/],
      ['--like=ml1m', /--like=ml1m: not known; give one of ml-100k, ml-1m, yelp2018, amazon-books/],
      ['--name=../up', /"\.\.\/up" names no data set/],
      ['--interactions=2000000', /synth: 2000000 interactions do not fit 1500 users × 1000 items/],
      ['--users', /--users: has no value/],
      ['extra', /extra: not an option; write options as --name=value/],
    ];
    for (const [flag, message] of cases) refused(await run(folder, 'synth', flag), message);
    assert.equal(readdirSync(folder), []);
  }),
);

synth(
  'does not overwrite, and names a place that cannot be written',
  inFolder(async (folder) => {
    const size = ['--users=5', '--items=5', '--interactions=9'];
    assert.is((await run(folder, 'synth', ...size)).code, 0);
    const again = await run(folder, 'synth', ...size);
    assert.is(again.code, 1);
    assert.match(
      again.err,
      /^data: .*sample: it is there already and is not overwritten; remove it or choose another/,
    );
    writeFileSync(join(folder, 'file'), '');
    const blocked = await run(folder, 'synth', ...size, '--out=file');
    assert.is(blocked.code, 1);
    assert.match(blocked.err, /^data: file: is a file, want a folder/);
  }),
);

synth(
  'lists its options',
  inFolder(async (folder) => {
    const { code, out } = await run(folder, 'synth', '--help');
    assert.is(code, 0);
    for (const name of ['like', 'scale', 'users', 'items', 'interactions', 'seed', 'name', 'out'])
      assert.match(out, `--${name} `);
  }),
);

synth.run();

const info = suite('data info');

info(
  'makes the sample on first use and prints its sizes, parts and fields',
  inFolder(async (folder) => {
    const { code, out, err } = await run(folder, 'info', '--dataset=sample');
    assert.equal([code, err], [0, '']);
    for (const line of [
      'dataset/sample: made',
      'synthetic data in the form of sample, seed 2020',
      'The number of users: 1501',
      'The number of inters: 100000',
      'rows: train 80,000, valid 10,000, test 10,000',
    ])
      assert.match(out, `${line}\n`);
    const fields = out.split('\n').map((line) => line.split(/ {2,}/));
    const rowOf = (name: string) => fields.find((cells) => cells[0] === name);
    assert.equal(rowOf('user_id'), ['user_id', '.inter', 'token', '1,501 ids']);
    assert.equal(rowOf('rating'), ['rating', '.inter', 'float', 'no, the class of --multi_cls']);
    assert.equal(rowOf('genre'), ['genre', '.item', 'token_seq', '19 ids, up to 4 a row']);
    assert.equal(rowOf('activity'), ['activity', '.user', 'float', 'value']);
    assert.not.match((await run(folder, 'info', '--dataset=sample')).out, 'made\n');
  }),
);

info(
  'reads a set under a name of its own with the settings that came with it',
  inFolder(async (folder) => {
    assert.is((await run(folder, 'synth', '--like=amazon-books', '--scale=0.005', '--name=books')).code, 0);
    const { code, out } = await run(folder, 'info', '--dataset=books');
    assert.is(code, 0);
    assert.match(out, 'synthetic data in the form of amazon-books');
    // 15 interactions of every user and item, and still some left.
    assert.match(out, /The number of inters: [0-9]{4,5}\n/);
    assert.match(out, /price +\.item +float +value\n/);
    assert.match(out, /brand +\.item +token +[0-9,]+ ids\n/);
  }),
);

info(
  'takes options of the data, from flags and files, and passes over what concerns models',
  inFolder(async (folder) => {
    const data_path = `--data_path=${resolve('test/fixtures')}`;
    const plain = await run(folder, 'info', '--dataset=mini', data_path);
    assert.equal([plain.code, plain.err], [0, '']);
    assert.match(plain.out, 'The number of inters: 900\n');
    assert.not.match(plain.out, 'label');
    writeFileSync(
      join(folder, 'a.yaml'),
      'learning_rate: 0.1\nmlp_hidden_size: [8]\nthreshold: {rating: 4}\n',
    );
    const flags = [
      '--config_files=a.yaml',
      '--user_inter_num_interval=[20,inf)',
      "--unload_col={'inter': ['timestamp']}",
    ];
    const { code, out, err } = await run(folder, 'info', '--dataset=mini', data_path, ...flags);
    assert.equal([code, err], [0, '']);
    assert.match(out, /label 1: [0-9.]+ %\n/);
    assert.not.match(out, 'timestamp');
    assert.ok(Number(/inters: ([0-9]+)/.exec(out)?.[1]) < 900);
  }),
);

info(
  'says what is wrong in one line',
  inFolder(async (folder) => {
    refused(await run(folder, 'info'), /^data: --dataset: missing/);
    refused(
      await run(folder, 'info', '--datset=mini'),
      /--datset=mini: no such option; did you mean dataset\?/,
    );
    refused(await run(folder, 'info', '--dataset=mini', '--epochs=3'), /--epochs=3: no such option/);
    refused(await run(folder, 'info', '--dataset=ml-1m'), /ml-1m\.inter is not there.*synth --like=ml-1m/);
    refused(await run(folder, 'info', '--dataset=mini', '--threshold={'), /--threshold=\{/);
    mkdirSync(join(folder, 'dataset', 'bad'), { recursive: true });
    writeFileSync(
      join(folder, 'dataset', 'bad', 'bad.inter'),
      'user_id:token\titem_id:token\trating:float\n1\t2\tx\n',
    );
    refused(await run(folder, 'info', '--dataset=bad'), /^data: .*bad\.inter:2: /);
  }),
);

info(
  'lists its options',
  inFolder(async (folder) => {
    const { code, out } = await run(folder, 'info', '--help');
    assert.is(code, 0);
    for (const name of ['dataset', 'data_path', 'threshold', 'load_col', 'eval_args', 'seed'])
      assert.match(out, `--${name} `);
    assert.not.match(out, '--learning_rate');
  }),
);

skipUnless(['../shared/data/ml-100k'], info, "prints RecBole's figures of ml-100k", async () => {
  const { code, out } = await run('.', 'info', '--dataset=ml-100k', '--data_path=../shared/data');
  assert.is(code, 0);
  for (const line of ['The number of users: 944', 'The number of items: 1153', 'The number of inters: 97953'])
    assert.match(out, `${line}\n`);
  assert.match(out, 'rows: train 78,363, valid 9,795, test 9,795\n');
});

info.run();
