import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { jsContenders, jsTrainings, writeOurStart } from '../../bench/js_rivals.js';
import { formatModels, modelContenders, paperOptions, paperTrainings } from '../../bench/models.js';
import { Rival, ours, type Opened, type Trained } from '../../bench/rival.js';
import { race, type Contender } from '../../bench/rivals.js';
import { checkLosses, lossDifference } from '../../bench/same_start.js';
import { testWhen } from '../support/skip.js';

const effort = { sampleMs: 1, rounds: 2, patienceMs: 10 };
const cpu: Contender = { name: 'CPU', command: ours('cpu', 1), isTorch: false };
const tiny = { batch: 32, vocabulary: 300, embeddingSize: 4, epochSteps: 4 };

/** Runs `use` with a folder of the weights and batches of a tiny training. */
async function withStart(model: string, use: (folder: string, sizes: typeof sizesOf) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'ctr-start-'));
  try {
    const sizes = { ...sizesOf, model };
    await writeOurStart(sizes, folder);
    await use(folder, sizes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const sizesOf = { ...tiny, model: 'FM', classes: 1, options: {} };

const start = suite('same start');

start('has every parameter and batch, one after the other', () =>
  withStart('FM', async (folder) => {
    const { tensors } = JSON.parse(readFileSync(join(folder, 'start.json'), 'utf8')) as {
      tensors: { name: string; shape: number[]; offset: number }[];
    };
    assert.equal(tensors.map(({ name }) => name).sort(), [
      'batch/labels',
      'batch/rows',
      'first_order_linear.bias',
      'first_order_linear.token_embedding_table.embedding.weight',
      'token_embedding_table.embedding.weight',
    ]);
    const places = tensors.sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const { shape, offset } of places) {
      assert.is(offset, end);
      end += 4 * shape.reduce((product, axis) => product * axis, 1);
    }
    assert.is(readFileSync(join(folder, 'start.bin')).length, end);
  }),
);

start('is the one from which ours trains: two of its processes lose the same', () =>
  withStart('NFM', async (folder, sizes) => {
    const { rivals, absent } = await race([cpu, { ...cpu, name: 'again' }], sizes, effort, folder);
    assert.equal(absent, []);
    assert.equal(
      rivals.map((row) => row.lossDifference),
      [0, 0],
    );
  }),
);

const losses = suite('checkLosses');

losses('accepts rounding and nothing else', () => {
  const mine = [0.7, 0.69, 0.68];
  checkLosses('one', mine, [0.70001, 0.69, 0.68]);
  assert.ok(Math.abs(lossDifference(mine, [0.7, 0.69 * 1.01]) - 0.01) < 1e-9);
  assert.throws(() => checkLosses('one', mine, [0.7, 0.691, 0.68]), /it trains something else/);
  assert.throws(() => checkLosses('one', mine, [0.7]), /it trains something else/);
  assert.throws(() => checkLosses('one', mine, [0.7, NaN, NaN]), /it trains something else/);
});

losses('refuses to compare what does not fall', () => {
  assert.throws(() => checkLosses('one', [0.7, 0.7, 0.7], [0.7, 0.7, 0.7]), /proves no update/);
});

const javascript = suite('JavaScript rivals');
const installed = existsSync('bench/rivals/node_modules');
const why = 'jax-js and TensorFlow.js are not installed; npm ci --prefix bench/rivals';

javascript('are noted where they are not installed', async () => {
  if (installed) return assert.ok((await jsContenders()).theirs.length > 0);
  const { theirs, notes } = await jsContenders();
  assert.equal(theirs, []);
  assert.match(notes[0], /npm ci --prefix bench\/rivals/);
});

testWhen(installed, why, javascript, 'lose what ours does, from the same weights', async () => {
  const { theirs } = await jsContenders();
  for (const { model } of jsTrainings) {
    await withStart(model, async (folder, sizes) => {
      const { absent } = await race([cpu, ...theirs], sizes, effort, folder);
      assert.equal(absent, []);
    });
  }
});

const besides = suite('models beside PyTorch');

besides('have the paper’s options, and defaults where it says nothing', () => {
  assert.equal(paperOptions('NFM').mlp_hidden_size, [512, 512, 512]);
  assert.is(paperOptions('NFM').dropout_prob, 0.5);
  assert.equal(paperOptions('FM'), {});
  assert.throws(() => paperOptions('Unknown'), /no model is called Unknown/);
});

const { all } = await modelContenders('cpu', 1);

testWhen(all.length > 1, 'no PyTorch', besides, 'have as many parameters in PyTorch, and train', async () => {
  const seen = new Set<string>();
  for (const sizes of paperTrainings) {
    const small = { ...sizes, ...tiny, embeddingSize: sizes.embeddingSize };
    if (sizes.model === 'xDeepFM') small.options = { ...sizes.options, cin_layer_size: [6, 4] };
    const { rivals, absent } = await race(all, small, { ...effort, rounds: 1 });
    assert.equal(absent, [], sizes.model);
    assert.match(formatModels({ rivals, absent }), /geometric mean of the 1/);
    seen.add(sizes.model);
  }
  assert.is(seen.size, 11);
});

besides('open with the ids that Zipf’s law draws', async () => {
  const { rival } = await Rival.start(cpu.command);
  const { tokenFields } = await import('../../bench/data.js');
  const open = { ...sizesOf, ids: 'zipf' as const, fields: tokenFields(tiny.vocabulary) };
  assert.ok((await rival.ask<Opened>({ open })).parameters > 0);
  assert.ok((await rival.ask<Trained>({ train: 2 })).loss > 0);
  await rival.end();
});

for (const one of [start, losses, javascript, besides]) one.run();
