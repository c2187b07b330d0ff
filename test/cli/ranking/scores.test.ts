import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rankingTask, type RankingUser } from '../../../cli/ranking.js';
import { positiveRanks, rankingScores, rankingTotals } from '../../../cli/ranking/scores.js';
import { Mt19937 } from '../../../data/mt19937.js';
import { golden, goldenCase } from './cases.js';

const sampled = { phase: 'test', mode: 'uni100', seed: 2020 } as const;

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
