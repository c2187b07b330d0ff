import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  higherIsBetter,
  parseMetric,
  rankingMetrics,
  roundTo,
  type RankingMetric,
} from '../../cli/metrics.js';
import { Mt19937 } from '../../data/mt19937.js';

interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly topk: readonly Readonly<Record<string, string | number>>[];
  readonly pos_index: Tensor;
  readonly pos_len: Tensor;
}
const golden: Golden = JSON.parse(readFileSync('test/fixtures/metrics.json', 'utf8'));

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9, `${actual}, want ${expected}`);
}

const ranking = suite('rankingMetrics');

/** Ranks of the 1s in one row of a 0/1 matrix. */
const ranksOf = (row: readonly number[]): number[] => row.flatMap((hit, i) => (hit ? [i + 1] : []));

ranking('equal the golden values, averaged over users', () => {
  const { topk, pos_index, pos_len } = golden;
  const [users, width] = pos_index.shape;
  let compared = 0;
  for (const values of topk) {
    const metric = parseMetric(String(values.metric));
    for (const [key, expected] of Object.entries(values)) {
      if (!key.startsWith('@')) continue;
      const k = Number(key.slice(1));
      let sum = 0;
      for (let user = 0; user < users; user++) {
        const ranks = ranksOf(pos_index.data.slice(user * width, (user + 1) * width));
        sum += rankingMetrics[metric.name as RankingMetric]({ ranks, positives: pos_len.data[user], k });
      }
      close(sum / users, Number(expected));
      compared++;
    }
  }
  assert.is(compared, 24);
});

/** The definitions, walked over the list item by item. */
const twins: Record<RankingMetric, (list: readonly number[], positives: number, k: number) => number> = {
  Recall: (list, positives, k) => list.slice(0, k).filter((hit) => hit).length / positives,
  Precision: (list, _, k) => list.slice(0, k).filter((hit) => hit).length / k,
  Hit: (list, _, k) => (list.slice(0, k).includes(1) ? 1 : 0),
  MRR(list, _, k) {
    const first = list.slice(0, k).indexOf(1);
    return first < 0 ? 0 : 1 / (first + 1);
  },
  NDCG(list, positives, k) {
    const gain = (hits: readonly number[]) => hits.reduce((sum, hit, i) => sum + hit / Math.log2(i + 2), 0);
    return gain(list.slice(0, k)) / gain(Array.from({ length: Math.min(k, positives) }, () => 1));
  },
  MAP(list, positives, k) {
    const precisions = list.map((_, i) => list.slice(0, i + 1).filter((hit) => hit).length / (i + 1));
    return list.slice(0, k).reduce((sum, hit, i) => sum + hit * precisions[i], 0) / Math.min(positives, k);
  },
};

ranking('equal their definitions on random lists', () => {
  const rng = new Mt19937(5);
  for (let trial = 0; trial < 200; trial++) {
    const list = Array.from({ length: 1 + (rng.next() % 30) }, () => (rng.next() % 4 === 0 ? 1 : 0));
    const positives = ranksOf(list).length + (trial % 3);
    if (positives === 0) continue;
    for (const k of [1, 3, 10, 40]) {
      for (const [name, metric] of Object.entries(rankingMetrics)) {
        const value = metric({ ranks: ranksOf(list), positives, k });
        close(value, twins[name as RankingMetric](list, positives, k));
      }
    }
  }
});

ranking.run();

const parse = suite('parseMetric');

parse('knows every metric in any case', () => {
  assert.equal(parseMetric('auc'), { kind: 'value', name: 'AUC' });
  assert.equal(parseMetric('LOGLOSS'), { kind: 'value', name: 'LogLoss' });
  assert.equal(parseMetric('ndcg@10'), { kind: 'ranking', name: 'NDCG', k: 10 });
  assert.equal(parseMetric(' Recall @ 20 '), { kind: 'ranking', name: 'Recall', k: 20 });
  assert.equal(parseMetric('MAP'), { kind: 'ranking', name: 'MAP' });
});

parse('refuses other names and bad cut-offs', () => {
  assert.throws(
    () => parseMetric('NDGC@10'),
    /^metric NDGC@10: no such metric, nearest is NDCG; have AUC, .*MAP@k$/,
  );
  assert.throws(() => parseMetric('toString'), /no such metric; have/);
  assert.throws(() => parseMetric(''), /no such metric/);
  for (const cut of ['0', '-1', '1.5', 'x', '', '1e3'])
    assert.throws(() => parseMetric(`NDCG@${cut}`), /must be a whole number from 1; got/);
  assert.throws(() => parseMetric('AUC@10'), /AUC has no cut-off; write AUC/);
});

parse.run();

const better = suite('higherIsBetter');

better('is false for losses and errors only', () => {
  for (const metric of ['LogLoss', 'mae', 'RMSE']) assert.is(higherIsBetter(metric), false);
  for (const metric of [
    'AUC',
    'GAUC',
    'Accuracy',
    'NDCG@10',
    'recall',
    'Hit@1',
    'MRR',
    'Precision@5',
    'MAP@2',
  ])
    assert.is(higherIsBetter(metric), true);
  assert.throws(() => higherIsBetter('loss'), /no such metric/);
});

better.run();

const round = suite('roundTo');

round("gives what Python's round gives", () => {
  // Value, decimals, and what Python 3 printed.
  const cases = [
    [2.5, 0, 2],
    [3.5, 0, 4],
    [-2.5, 0, -2],
    [2.675, 2, 2.67],
    [0.125, 2, 0.12],
    [0.375, 2, 0.38],
    [0.78125, 4, 0.7812],
    [0.15625, 4, 0.1562],
    [0.71875, 4, 0.7188],
    [0.00005, 4, 0.0001],
    [0.78345, 4, 0.7834],
    [0.99995, 4, 1.0],
    [1.0, 4, 1.0],
    [12345, 0, 12345],
    [1e22, 4, 1e22],
    [0.1 + 0.2, 4, 0.3],
    [1 / 3, 4, 0.3333],
  ];
  for (const [value, decimals, expected] of cases) assert.is(roundTo(value, decimals), expected, `${value}`);
  assert.ok(Object.is(roundTo(-0.00001, 4), -0));
});

round('passes NaN and infinities on', () => {
  assert.ok(Number.isNaN(roundTo(NaN, 4)));
  assert.is(roundTo(-Infinity, 4), -Infinity);
});

round.run();
