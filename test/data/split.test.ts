import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Mt19937 } from '../../data/mt19937.js';
import { defaultDataOptions, type DataOptions, type EvalArgs } from '../../data/options.js';
import type { Dataset, Split } from '../../data/schema.js';
import { randperm, splitDataset } from '../../data/split.js';
import { skipUnless } from '../support/skip.js';

const traces = '../shared/golden/traces';

function u32(file: string): Uint32Array {
  const bytes = readFileSync(file);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const permutation = suite('randperm');

permutation('is the permutation that PyTorch draws for mini', () => {
  const golden = JSON.parse(readFileSync('test/fixtures/dataset_mini.json', 'utf8')) as {
    perm_seed2020: { data: number[] };
  };
  assert.equal([...randperm(900, new Mt19937(2020))], golden.perm_seed2020.data);
});

for (const seed of [2020, 2021, 2022]) {
  const file = `${traces}/ml100k_split_seed${seed}.u32`;
  skipUnless([file], permutation, `is the permutation that PyTorch draws for ml-100k, seed ${seed}`, () => {
    const want = u32(file);
    assert.equal(randperm(want.length, new Mt19937(seed)), want);
  });
}

permutation('uses a draw less than it has elements', () => {
  const [rng, same] = [new Mt19937(1), new Mt19937(1)];
  assert.equal([...randperm(0, rng)], []);
  assert.equal([...randperm(1, rng)], [0]);
  randperm(5, rng);
  for (let i = 0; i < 4; i++) same.next();
  assert.is(rng.next(), same.next());
});

permutation.run();

/** One interaction per user id and time. */
function invent(users: readonly number[], times?: readonly number[], benchmark?: readonly number[]): Dataset {
  const columns = new Map([
    ['user_id', { type: 'token', ids: Uint32Array.from(users) } as const],
    ...(times ? [['timestamp', { type: 'float', values: Float32Array.from(times) }] as const] : []),
  ]);
  return {
    name: 'invented',
    schema: { token: [], tokenSeq: [], float: [], userField: 'user_id', itemField: 'item_id' },
    inter: { rows: users.length, columns },
    users: null,
    items: null,
    rating: null,
    label: null,
    vocabularies: new Map(),
    ...(benchmark && { benchmark }),
  };
}

function options(evalArgs: Partial<EvalArgs>): DataOptions {
  const eval_args = { ...defaultDataOptions.eval_args, ...evalArgs };
  return { ...defaultDataOptions, seed: 5, eval_args };
}

const lists = ({ train, valid, test }: Split) => [[...train], [...valid], [...test]];
const sizes = ({ train, valid, test }: Split) => [train.length, valid.length, test.length];
const ofSize = (rows: number, RS: readonly number[]) =>
  sizes(splitDataset(invent(Array.from({ length: rows }, () => 1)), options({ split: { RS } })));

const splitting = suite('splitDataset');

splitting('by ratio takes slices of the shuffled rows, train first', () => {
  const dataset = invent(Array.from({ length: 20 }, (_, i) => i));
  const order = [...randperm(20, new Mt19937(5))];
  const want = [order.slice(0, 16), order.slice(16, 18), order.slice(18)];
  assert.equal(lists(splitDataset(dataset, options({}))), want);
});

splitting('rounds valid and test down and leaves the rest to train', () => {
  assert.equal(ofSize(97_953, [0.8, 0.1, 0.1]), [78_363, 9_795, 9_795]);
  assert.equal(ofSize(19, [0.8, 0.1, 0.1]), [17, 1, 1]);
  assert.equal(ofSize(10, [8, 1, 1]), [8, 1, 1]);
});

splitting('gives a part of less than one row a row, the test part first, while train has two', () => {
  assert.equal(ofSize(9, [0.8, 0.1, 0.1]), [7, 1, 1]);
  assert.equal(ofSize(3, [0.8, 0.1, 0.1]), [1, 1, 1]);
  assert.equal(ofSize(2, [0.8, 0.1, 0.1]), [1, 0, 1]);
  assert.equal(ofSize(1, [0.8, 0.1, 0.1]), [1, 0, 0]);
  assert.equal(ofSize(9, [0.8, 0, 0.2]), [8, 0, 1]);
});

splitting('by ratio and user splits every user by itself, users in order of appearance', () => {
  const dataset = invent([7, 3, 7, 7, 3, 3, 7], [1, 2, 3, 4, 5, 6, 7]);
  const split = splitDataset(dataset, options({ split: { RS: [2, 1, 1] }, order: 'TO', group_by: 'user' }));
  assert.equal(lists(split), [
    [0, 2, 1],
    [3, 4],
    [6, 5],
  ]);
});

splitting('shuffles before it groups by user', () => {
  const users = [1, 2, 1, 2, 1, 2, 1, 2];
  const order = [...randperm(8, new Mt19937(5))];
  const first = order.filter((row) => users[row] === users[order[0]]);
  const second = order.filter((row) => users[row] !== users[order[0]]);
  const split = splitDataset(invent(users), options({ split: { RS: [2, 1, 1] }, group_by: 'user' }));
  assert.equal(lists(split), [
    [...first.slice(0, 2), ...second.slice(0, 2)],
    [first[2], second[2]],
    [first[3], second[3]],
  ]);
});

splitting('leaves the last one or two of every user out', () => {
  // By time: user 1 has rows 3 0 4, user 2 rows 2 5, user 3 row 1.
  const dataset = invent([1, 3, 2, 1, 1, 2], [20, 5, 1, 10, 30, 40]);
  const leave = (LS: 'valid_and_test' | 'valid_only' | 'test_only') =>
    lists(splitDataset(dataset, options({ split: { LS }, order: 'TO' })));
  assert.equal(leave('valid_and_test'), [[2, 1, 3], [0], [5, 4]]);
  assert.equal(leave('valid_only'), [[2, 1, 3, 0], [5, 4], []]);
  assert.equal(leave('test_only'), [[2, 1, 3, 0], [], [5, 4]]);
});

splitting('orders by the float32 times, equal ones as in the file', () => {
  const second = 956_703_932; // float32 is in steps of 64 there
  const dataset = invent([1, 1, 1, 1], [second + 200, second + 1, second, -5]);
  const split = splitDataset(dataset, options({ split: { RS: [1, 0, 0] }, order: 'TO' }));
  assert.equal([...split.train], [3, 1, 2, 0]);
});

splitting('keeps the parts of files that were split before', () => {
  const split = splitDataset(invent([1, 1, 1, 1, 1], undefined, [2, 0, 3]), options({}));
  assert.equal(lists(split), [[0, 1], [], [2, 3, 4]]);
});

splitting('says that there is no time to order by', () => {
  assert.throws(
    () => splitDataset(invent([1]), options({ order: 'TO' })),
    /order TO needs the float field timestamp/,
  );
});

splitting.run();
