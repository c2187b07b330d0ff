import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rankingTask } from '../../cli/ranking.js';
import { loadDataset, splitDataset } from '../../data/dataset.js';
import { defaultDataOptions } from '../../data/options.js';
import type { Dataset, Split } from '../../data/schema.js';
import { golden, goldenCase, invent, type Row, type Rows } from './ranking/cases.js';

const sampled = { phase: 'test', mode: 'uni100', seed: 2020 } as const;
const full = { ...sampled, mode: 'full' } as const;
const tasked = (
  { dataset, split }: { dataset: Dataset; split: Split },
  options: Parameters<typeof rankingTask>[2],
) => [...rankingTask(dataset, split, options)];

const task = suite('rankingTask');

task("draws the original's candidates in its order", () => {
  const users = tasked(goldenCase(), sampled);
  assert.is(users.length, golden.users.length);
  users.forEach((ranked, i) => {
    const expected = golden.users[i];
    assert.is(ranked.user, expected.user);
    assert.equal([...ranked.positives], expected.pos.data);
    assert.equal([...ranked.candidates], [...new Set(expected.cand_items_in_order.data)]);
    assert.is(ranked.candidates.length, expected.n_distinct_candidates);
  });
});

task('draws them from the atomic files on', async () => {
  const options = {
    ...defaultDataOptions,
    data_path: 'test/fixtures',
    dataset: 'mini',
    threshold: { rating: 4 },
  };
  const dataset = await loadDataset(options);
  const users = tasked({ dataset, split: splitDataset(dataset, options) }, sampled);
  assert.equal(
    users.map(({ candidates }) => [...candidates]),
    golden.users.map(({ cand_items_in_order }) => [...new Set(cand_items_in_order.data)]),
  );
});

task('is the same each time it is walked, and another one for another seed', () => {
  const { dataset, split } = goldenCase();
  const task = rankingTask(dataset, split, sampled);
  assert.equal([...task], [...task]);
  assert.not.equal([...task], tasked({ dataset, split }, { ...sampled, seed: 2021 }));
});

const phases: Rows = {
  train: [
    [1, 1, 1],
    [1, 2, 0],
    [2, 9, 1],
  ],
  valid: [
    [1, 3, 1],
    [1, 4, 0],
    [2, 8, 0],
  ],
  test: [
    [2, 5, 0],
    [1, 6, 1],
    [1, 5, 1],
    [1, 7, 0],
    [3, 2, 1],
  ],
};

task('excludes what was trained on and the positives up to the phase, and nothing else', () => {
  const test = tasked(invent(3, 10, phases), full);
  assert.equal(
    test.map(({ user }) => user),
    [1, 3],
  );
  assert.equal(
    test.map(({ positives }) => [...positives]),
    [[6, 5], [2]],
  );
  assert.equal([...test[0].candidates], [6, 5, 4, 7, 8, 9, 10]);
  assert.equal([...test[1].candidates], [2, 1, 3, 4, 5, 6, 7, 8, 9, 10]);
  const valid = tasked(invent(3, 10, phases), { ...full, phase: 'valid' });
  assert.equal(
    valid.map(({ user, candidates }) => [user, ...candidates]),
    [[1, 3, 4, 5, 6, 7, 8, 9, 10]],
  );
});

task('never draws an excluded item and at last draws every other', () => {
  const [ranked] = tasked(invent(3, 10, phases), sampled);
  assert.equal(
    [...ranked.candidates].sort((a, b) => a - b),
    [4, 5, 6, 7, 8, 9, 10],
  );
});

task('ranks a pair that is listed twice once', () => {
  const rows: Rows = {
    train: [[1, 4, 1]],
    test: [
      [1, 4, 1],
      [1, 4, 1],
      [1, 2, 1],
    ],
  };
  for (const options of [sampled, full]) {
    const [ranked] = tasked(invent(1, 6, rows), options);
    assert.equal([...ranked.positives], [4, 2]);
    assert.equal(
      [...ranked.candidates].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6],
    );
  }
});

task('draws the one item that is left', () => {
  const [ranked] = tasked(invent(1, 2, { test: [[1, 2, 1]] }), sampled);
  assert.equal([...ranked.candidates], [2, 1]);
});

task('draws without bias over a range that is no power of two', () => {
  const test = Array.from({ length: 3000 }, (_, i): Row => [i + 1, 1, 1]);
  const counts = new Uint32Array(652);
  for (const { candidates } of rankingTask(
    ...(Object.values(invent(3000, 651, { test })) as [Dataset, Split]),
    sampled,
  ))
    for (const item of candidates) counts[item]++;
  const mean = counts.subarray(2).reduce((sum, count) => sum + count, 0) / 650;
  // Deduplication keeps about 93 of 100; 6 standard deviations either way.
  assert.ok(counts.subarray(2).every((count) => Math.abs(count - mean) < 6 * Math.sqrt(mean)));
  assert.is(counts[0], 0);
});

task('says what is missing', () => {
  const { dataset, split } = invent(3, 10, phases);
  assert.throws(
    () => rankingTask({ ...dataset, label: null }, split, sampled),
    /^rank: invented has no label/,
  );
  assert.throws(
    () => rankingTask(dataset, { ...split, test: split.train.slice(1, 2) }, sampled),
    /no test row has label 1/,
  );
  const all = invent(1, 2, { train: [[1, 1, 1]], test: [[1, 2, 1]] });
  assert.throws(() => tasked(all, sampled), /^rank: user t1 of invented has seen all 2 items/);
  assert.equal([...tasked(all, full)[0].candidates], [2]);
});

task.run();
