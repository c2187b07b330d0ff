import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { benchEpoch, growth, usualEffort, usualEpoch } from '../../bench/epoch.js';
import { formatEpoch } from '../../bench/report.js';
import { findTorch, installTorch } from '../../bench/rival.js';
import { syntheticSpec } from '../../data/synthetic.js';
import { testWhen } from '../support/skip.js';

const spec = syntheticSpec({ like: 'ml-1m', users: 60, items: 50, interactions: 1500 });
// 1193 rows are 3 steps of 400: 1,100 steps are 367 epochs.
const effort = { turns: 1, rounds: 3, steps: 1100, batch: 400 };
const row = await benchEpoch(spec, { adapter: 'cpu' }, effort);

const epochs = suite('benchEpoch');

epochs('times data, steps, evaluation and the AUC of all rows', () => {
  for (const ms of [row.dataMs, row.openMs, row.firstMs, row.trainMs, row.validMs, row.allMs])
    assert.ok(ms > 0);
  assert.is(row.epochMs, row.trainMs + row.validMs);
  assert.ok(row.allOfTraining > 0 && row.allOfTraining < 100);
  assert.match(row.shape, /^1,193 rows, B 400, V \d+$/);
});

epochs('looks at memory over the steps, and at what the device holds', () => {
  assert.ok((row.samples.at(-1)?.step ?? 0) >= effort.steps);
  assert.ok(row.samples.every(({ bytes }) => bytes > 2 ** 24 && bytes <= row.peakBytes));
  // Two moments for each parameter, and when its row was last updated.
  const { parameters, optimizer, activations } = row.held;
  assert.ok(optimizer > 1.9 * parameters && optimizer < 4 * parameters && activations > 0);
});

epochs('is a text of seven times, two ratios and the memory', () => {
  const text = formatEpoch(row);
  assert.is(text.split('\n').length, row.overTorch === undefined ? 10 : 11);
  assert.match(text, /scores and AUC take \d+ % of the time of training the same rows/);
  assert.match(
    text,
    /memory: peak \d+\.\d MiB, grown by -?\d+\.\d MiB from step 1,000 to 1,\d+; parameters 0\.0 MiB/,
  );
});

testWhen((await findTorch()) !== undefined, installTorch, epochs, 'stands beside PyTorch', async () => {
  assert.ok((row.overTorch ?? 0) > 0);
});

epochs('is of ml-1m and ten thousand steps by default', () => {
  assert.equal([usualEpoch.interactions, usualEffort.steps, usualEffort.batch], [1_000_209, 10_000, 4096]);
});

const grown = suite('growth');

grown('compares the last samples with the first that count', () => {
  const samples = Array.from({ length: 20 }, (_, i) => ({ step: 500 * i, bytes: i < 2 ? 1 : 1000 + 10 * i }));
  assert.is(growth(samples), 10 * (17 + 1 - 4));
  assert.is(growth(samples.map(({ step }) => ({ step, bytes: step % 1000 === 0 ? 5 : 7 }))), 0);
  assert.is(growth([]), 0);
});

epochs.run();
grown.run();
