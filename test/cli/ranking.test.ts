import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rankingTask, type RankingUser } from '../../cli/ranking.js';
import { positiveRanks, rankingScores, rankingTotals } from '../../cli/ranking/scores.js';
import { Mt19937 } from '../../data/mt19937.js';
import type { Dataset, Split } from '../../data/schema.js';

interface Golden {
  readonly result: Readonly<Record<string, number>>;
  readonly users: readonly {
    readonly user: number;
    readonly pos: { readonly data: readonly number[] };
    readonly cand_items_in_order: { readonly data: readonly number[] };
    readonly scores: { readonly data: readonly number[] };
    readonly n_distinct_candidates: number;
  }[];
  readonly excluded_per_user: Readonly<Record<string, readonly number[]>>;
}
const golden: Golden = JSON.parse(readFileSync('test/fixtures/ranking_mini.json', 'utf8'));

type Row = readonly [user: number, item: number, label: number];
interface Rows {
  readonly train?: readonly Row[];
  readonly valid?: readonly Row[];
  readonly test?: readonly Row[];
}

/** A data set of these rows, users and items numbered from 1, and its split. */
function invent(users: number, items: number, parts: Rows): { dataset: Dataset; split: Split } {
  const { train = [], valid = [], test = [] } = parts;
  const rows = [...train, ...valid, ...test];
  const column = (at: 0 | 1) => ({ type: 'token', ids: Uint32Array.from(rows, (row) => row[at]) }) as const;
  const tokens = (count: number) => ['[PAD]', ...Array.from({ length: count }, (_, i) => `t${i + 1}`)];
  const from = (start: number, { length }: readonly Row[]) =>
    Uint32Array.from({ length }, (_, i) => start + i);
  const dataset: Dataset = {
    name: 'invented',
    schema: {
      token: [
        { name: 'user_id', source: 'inter', cardinality: users + 1, offset: 0 },
        { name: 'item_id', source: 'inter', cardinality: items + 1, offset: users + 1 },
      ],
      tokenSeq: [],
      float: [],
      userField: 'user_id',
      itemField: 'item_id',
    },
    inter: {
      rows: rows.length,
      columns: new Map([
        ['user_id', column(0)],
        ['item_id', column(1)],
      ]),
    },
    users: null,
    items: null,
    rating: null,
    label: Float32Array.from(rows, (row) => row[2]),
    vocabularies: new Map([
      ['user_id', tokens(users)],
      ['item_id', tokens(items)],
    ]),
  };
  const split = {
    train: from(0, train),
    valid: from(train.length, valid),
    test: from(train.length + valid.length, test),
  };
  return { dataset, split };
}

/** The golden case: what is excluded and not positive was trained on. */
function goldenCase(): { dataset: Dataset; split: Split } {
  const positives = new Map(golden.users.map(({ user, pos }) => [user, pos.data]));
  const train = Object.entries(golden.excluded_per_user).flatMap(([user, items]) =>
    items
      .filter((item) => !positives.get(Number(user))?.includes(item))
      .map((item): Row => [Number(user), item, item % 2]),
  );
  const test = golden.users.flatMap(({ user, pos }) => pos.data.map((item): Row => [user, item, 1]));
  return invent(40, 60, { train, test: [...test, [1, 5, 0]] });
}

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

const scores = suite('rankingScores');

/** Looks the golden score of a pair up. */
const goldenScores = new Map(
  golden.users.flatMap(({ user, cand_items_in_order, scores }) =>
    cand_items_in_order.data.map((item, i): [string, number] => [`${user} ${item}`, scores.data[i]]),
  ),
);

scores('equals the golden values, whatever the batch size', async () => {
  const { dataset, split } = goldenCase();
  for (const batchRows of [1, 7, 64, 100000]) {
    const sizes: number[] = [];
    const score = (users: Uint32Array, items: Uint32Array) => {
      sizes.push(users.length);
      return Float32Array.from(users, (user, i) => goldenScores.get(`${user} ${items[i]}`) ?? NaN);
    };
    const options = { metrics: ['NDCG', 'Recall@10', 'recall@20'], topk: [10, 20], batchRows };
    const values = await rankingScores(rankingTask(dataset, split, sampled), score, options);
    assert.equal([...values.keys()], ['NDCG@10', 'NDCG@20', 'Recall@10', 'Recall@20']);
    for (const [name, value] of values)
      assert.ok(Math.abs(value - golden.result[name.toLowerCase()]) < 1e-9, name);
    assert.ok(sizes.slice(0, -1).every((size) => size === batchRows));
  }
});

scores('asks for nothing it cannot use', async () => {
  const { dataset, split } = goldenCase();
  const task = rankingTask(dataset, split, sampled);
  const options = { metrics: ['NDCG'], topk: [10], batchRows: 50 };
  const failing = async (score: () => Float32Array, metrics = ['NDCG']): Promise<string> => {
    try {
      await rankingScores(task, score, { ...options, metrics });
    } catch (error) {
      return String(error);
    }
    return 'no error';
  };
  assert.match(
    await failing(() => new Float32Array(50), ['AUC']),
    /ConfigError: metric AUC: it does not judge ranked/,
  );
  assert.match(
    await failing(() => new Float32Array(50).fill(NaN)),
    /DataError: rank: score of user 1 and item 23 is NaN/,
  );
  assert.match(await failing(() => new Float32Array(49)), /rank: 49 scores for 50 pairs/);
  assert.throws(() => rankingTotals(['NDCG'], [10]).means(), /no user to average over/);
});

scores.run();

const ranks = suite('positiveRanks');

ranks('are the places in the list sorted by score, then by item id', () => {
  const rng = new Mt19937(9);
  for (let trial = 0; trial < 300; trial++) {
    const candidates = Uint32Array.from(
      new Set(Array.from({ length: 1 + (rng.next() % 40) }, () => rng.next() % 99)),
    );
    const ranked: RankingUser = { user: 1, candidates, positives: candidates.slice(0, 1 + (rng.next() % 8)) };
    // Few distinct scores, so that ties abound.
    const scores = new Float32Array(candidates.length).map(() => (rng.next() % 5) - 2);
    const order = [...candidates.keys()].sort(
      (a, b) => scores[b] - scores[a] || candidates[a] - candidates[b],
    );
    const expected = order.flatMap((i, place) =>
      ranked.positives.includes(candidates[i]) ? [place + 1] : [],
    );
    assert.equal([...positiveRanks(ranked, scores)], expected);
  }
});

ranks('take infinite scores', () => {
  const ranked = { user: 1, candidates: Uint32Array.of(5, 6, 7), positives: Uint32Array.of(5, 7) };
  assert.equal([...positiveRanks(ranked, Float32Array.of(-Infinity, 0, Infinity))], [1, 3]);
});

ranks.run();
