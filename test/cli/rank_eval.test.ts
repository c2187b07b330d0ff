import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { firstPositives, pairBatchRows, writePairs } from '../../cli/rank_eval/pairs.js';
import { rankingTable } from '../../cli/rank_eval/report.js';
import { rankingTask, type RankingMode } from '../../cli/ranking.js';
import { allRows } from '../../data/rows.js';
import type { Column, Dataset } from '../../data/schema.js';
import { packFeatures, rowLayout, type Features } from '../../models/index.js';
import { close } from '../support/close.js';
import { tinyDataset } from '../support/tiny.js';
import { ended, openReference, rankEvalScript, trainedFolder } from '../support/trained.js';

const { folder, checkpoint } = await trainedFolder('--multi_cls=5');
const reference = await openReference(folder, checkpoint);
const recordFile = join(dirname(checkpoint), 'rank-eval.json');
const rankEval = (...flags: readonly string[]) =>
  ended(folder, [rankEvalScript, `--checkpoint=${checkpoint}`, ...flags]);

interface Entry {
  readonly metrics: Readonly<Record<string, number>>;
  readonly users: number;
  readonly pairs: number;
  readonly [name: string]: unknown;
}

const entries = (): Entry[] => JSON.parse(readFileSync(recordFile, 'utf8')) as Entry[];

/** Row `row` of each column, `count` times over, but for the items. */
function repeated(dataset: Dataset, row: number, items: Uint32Array): Dataset {
  const pick = (column: Column): Column => {
    const all = <T extends Float32Array | Uint32Array>(values: T, per = 1): T => {
      const one = values.slice(row * per, (row + 1) * per);
      const made = new (values.constructor as new (length: number) => T)(items.length * per);
      for (let i = 0; i < items.length; i++) made.set(one, i * per);
      return made;
    };
    switch (column.type) {
      case 'token':
        return { type: 'token', ids: all(column.ids) };
      case 'token_seq':
        return { ...column, ids: all(column.ids, column.maxLength) };
      case 'float':
        return { type: 'float', values: all(column.values), index: column.index && all(column.index) };
      case 'float_seq':
        return { ...column, values: all(column.values, column.maxLength) };
    }
  };
  const columns = new Map([...dataset.inter.columns].map(([name, column]) => [name, pick(column)]));
  columns.set(dataset.schema.itemField, { type: 'token', ids: items });
  return { ...dataset, inter: { rows: items.length, columns }, rating: null, label: null };
}

/** NDCG and Recall by sorting every user's whole list, all in f64. */
async function bruteForce(mode: RankingMode, phase: 'test' | 'valid', cuts: readonly number[], seed: number) {
  const { dataset, split, runner } = reference;
  const sums: Record<string, number> = {};
  const users = [...rankingTask(dataset, split, { mode, phase, seed })];
  const userIds = dataset.inter.columns.get('user_id');
  for (const { user, candidates, positives } of users) {
    const first = split[phase].find(
      (row) => userIds?.type === 'token' && userIds.ids[row] === user && dataset.label?.[row] === 1,
    );
    const { rows } = packFeatures(repeated(dataset, first ?? -1, candidates));
    const { score } = await runner.scores(allRows(candidates.length), rows);
    const order = [...candidates.keys()].sort((a, b) => score[b] - score[a] || candidates[a] - candidates[b]);
    for (const k of cuts) {
      const gains = order.slice(0, k).map((i) => (positives.includes(candidates[i]) ? 1 : 0));
      const discount = (list: readonly number[]) =>
        list.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
      const ideal = discount(Array.from({ length: Math.min(k, positives.length) }, () => 1));
      const found = gains.reduce<number>((sum, gain) => sum + gain, 0);
      sums[`NDCG@${k}`] = (sums[`NDCG@${k}`] ?? 0) + discount(gains) / ideal / users.length;
      sums[`Recall@${k}`] = (sums[`Recall@${k}`] ?? 0) + found / positives.length / users.length;
    }
  }
  return sums;
}

/** The last entry's metrics are those of a brute-force ranking. */
async function checkMetrics(
  mode: RankingMode,
  phase: 'test' | 'valid',
  cuts: readonly number[],
  seed = 2020,
) {
  const { metrics } = entries().at(-1) as Entry;
  const expected = await bruteForce(mode, phase, cuts, seed);
  assert.equal(Object.keys(metrics).sort(), Object.keys(expected).sort());
  close(
    Object.keys(metrics).map((name) => metrics[name]),
    Object.keys(metrics).map((name) => expected[name]),
    1e-12,
    mode,
  );
}

const command = suite('rank-eval');

command('ranks the test positives against 100 draws each, as a sort of every list does', async () => {
  const { code, out, err } = await rankEval();
  assert.is(code, 0, err);
  assert.match(
    out,
    /test result: ndcg@10 : 0\.\d{4} {4}ndcg@20 : 0\.\d{4} {4}recall@10 : 0\.\d{4} {4}recall@20 : \d\.\d{4}\n/,
  );
  assert.match(out, /\n {10} @10 {5}@20\nNDCG {4}0\.\d{4} {2}0\.\d{4}\nRecall {2}0\.\d{4} {2}\d\.\d{4}\n/);
  assert.match(out, /\d+ users, [\d,]+ candidates \(100 draws a positive, seed 2020\)/);
  await checkMetrics('uni100', 'test', [10, 20]);
});

command('ranks against all items, in another part, at other cut-offs', async () => {
  const { code, out, err } = await rankEval('--mode=full', '--phase=valid', '--topk=[1, 5]', '--quiet');
  assert.is(code, 0, err);
  assert.match(out, /^valid result: ndcg@1 : \S+ {4}ndcg@5 : \S+ {4}recall@1 : \S+ {4}recall@5 : \S+\n$/);
  await checkMetrics('full', 'valid', [1, 5]);
});

command('draws others for another seed, and keeps every result beside the checkpoint', async () => {
  const before = entries();
  const { code, out, err } = await rankEval('--seed=7', '--metrics=[ndcg@3, MRR]', '--topk=4');
  assert.is(code, 0, err);
  assert.match(out, /test result: ndcg@3 : \S+ {4}mrr@4 : /);
  const after = entries();
  assert.equal(after.slice(0, -1), before);
  const { metrics, ...entry } = after.at(-1) as Entry;
  assert.equal(Object.keys(metrics), ['NDCG@3', 'MRR@4']);
  const { seed, mode, phase, topk, epochs, model, dataset, checkpoint: path } = entry;
  assert.equal(
    { seed, mode, phase, topk, epochs, model, dataset, path },
    {
      seed: 7,
      mode: 'uni100',
      phase: 'test',
      topk: [4],
      epochs: 1,
      model: 'FM',
      dataset: 'toy',
      path: checkpoint,
    },
  );
  const { 'NDCG@3': expected } = await bruteForce('uni100', 'test', [3], 7);
  assert.ok(Math.abs(metrics['NDCG@3'] - expected) < 1e-12);
});

command('refuses what it cannot do in one line', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[], /^rank-eval: --checkpoint: missing; /],
    [['--checkpoint=no.ckpt'], /^rank-eval: no\.ckpt: no such file or directory; /],
    [
      ['--checkpoint=dataset/toy/toy.user'],
      /^rank-eval: checkpoint .*toy\.user: not a checkpoint of this program; /,
    ],
    [
      [`--checkpoint=${checkpoint}`, '--metrics=AUC'],
      /--metrics=AUC: AUC judges labelled rows.* give one of Recall, /,
    ],
    [[`--checkpoint=${checkpoint}`, '--metrics=NDCC'], /metric NDCC: no such metric, nearest is NDCG/],
    [[`--checkpoint=${checkpoint}`, '--mode=some'], /--mode=some: not known; give one of uni100, full/],
    [[`--checkpoint=${checkpoint}`, '--tpk=3'], /--tpk=3: no such option; did you mean topk\?/],
    [
      [`--checkpoint=${checkpoint}`, '--data_path=elsewhere'],
      /elsewhere.*toy\.inter is not there.*--data_path/,
    ],
  ];
  const all = await Promise.all(cases.map(([argv]) => ended(folder, [rankEvalScript, ...argv])));
  all.forEach(({ code, out, err }, i) => {
    assert.equal([code, out], [1, ''], err);
    assert.match(err, cases[i][1]);
    assert.is(err.trimEnd().split('\n').length, 1, err);
  });
});

command('ranks on the threads that are asked for, with checked kernels, to the same metrics', async () => {
  const on = async (...flags: readonly string[]) => {
    const { code, out, err } = await rankEval('--adapter=cpu', ...flags);
    assert.equal([code, err], [0, ''], err);
    return { out, metrics: entries().at(-1)?.metrics };
  };
  const [one, three] = [await on('--threads=1'), await on('--threads=3', '--check')];
  assert.match(one.out, /adapter: CPU: .+, 1 thread\b/);
  assert.match(three.out, /adapter: CPU: .+, 3 threads\b/);
  assert.equal(three.metrics, one.metrics);
  const none = await rankEval('--threads=0');
  assert.match(none.err, /^rank-eval: --threads=0: out of range; /);
});

command('lists its options', async () => {
  const { code, out, err } = await ended(folder, [rankEvalScript, '--help']);
  assert.equal([code, err], [0, '']);
  for (const name of [
    'checkpoint',
    'mode',
    'phase',
    'metrics',
    'topk',
    'seed',
    'data_path',
    'adapter',
    'threads',
    'check',
    'quiet',
  ]) {
    assert.match(out, new RegExp(`--${name} `));
  }
});

command('leaves a file alone that is no list of results', async () => {
  const text = readFileSync(recordFile, 'utf8');
  writeFileSync(recordFile, '{');
  const { code, err } = await rankEval();
  assert.is(code, 1);
  assert.match(err, /rank-eval\.json: not a list of results in JSON; move it away\n$/);
  assert.is(readFileSync(recordFile, 'utf8'), '{');
  writeFileSync(recordFile, text);
});

command('notices that the data set is another one since', async () => {
  const file = join(folder, 'dataset/toy/toy.inter');
  const text = readFileSync(file);
  appendFileSync(file, 'u1\ti29\t5\ta\tv\t1\t2\n');
  const { code, err } = await rankEval();
  writeFileSync(file, text);
  assert.is(code, 1);
  assert.match(err, /^rank-eval: checkpoint .*: the data set has \d+ interactions, not \d+ since; /);
});

const pairs = suite('pairs');

pairs('are the context row with user and item put in, their tokens included', () => {
  const dataset = tinyDataset({ rows: 20, users: 6, items: 5 });
  const features = packFeatures(dataset);
  const { layout, rows } = features;
  const words = new Uint32Array(2 * layout.width);
  writePairs(features, [0, 0, 0, 7, 0, 9], Uint32Array.of(5, 3), Uint32Array.of(2, 4), words);
  for (const [i, context, user, item] of [
    [0, 9, 5, 2],
    [1, 7, 3, 4],
  ]) {
    const expected = rows.slice(context * layout.width, (context + 1) * layout.width);
    expected[layout.user] = user;
    expected[layout.item] = item;
    expected[layout.tokens] = user;
    expected[layout.tokens + 1] = 6 + item;
    assert.equal(words.slice(i * layout.width, (i + 1) * layout.width), expected);
  }
});

pairs('take the context of the first positive of the phase', () => {
  const dataset = tinyDataset({ rows: 30, users: 4, items: 5 });
  const vocabularies = new Map([['user_id', ['[PAD]', 'a', 'b', 'c']]]);
  const test = allRows(30).reverse();
  const empty = new Uint32Array(0);
  const first = firstPositives({ ...dataset, vocabularies }, { train: empty, valid: empty, test }, 'test');
  const users = dataset.inter.columns.get('user_id');
  for (const user of [1, 2, 3]) {
    const row = test.find(
      (one) => users?.type === 'token' && users.ids[one] === user && dataset.label?.[one] === 1,
    );
    assert.is(first[user], row);
  }
});

pairs('fill whole evaluation batches', () => {
  const layout = rowLayout(tinyDataset({ rows: 1, users: 2, items: 2 }).schema);
  const rowsOf = (evalBatch: number) => pairBatchRows({ layout } as Features, evalBatch);
  assert.is(rowsOf(4096) % 4096, 0);
  assert.is(rowsOf(1 << 22), 1 << 22);
  assert.ok(rowsOf(1000) * layout.width <= 1 << 20);
});

const table = suite('rankingTable');

table('leaves a cell empty where a metric was not asked for at a cut-off', () => {
  const scores = new Map([
    ['NDCG@10', 0.08564],
    ['NDCG@5', 0.5],
    ['Hit@10', 1],
  ]);
  assert.is(rankingTable(scores, 3), '         @5    @10\nNDCG  0.500  0.086\nHit          1.000');
});

command.after(() => reference.destroy());
command.after(() => rmSync(recordFile, { force: true }));
command.run();
pairs.run();
table.run();
