import { DataError } from './errors.js';
import { Mt19937 } from './mt19937.js';
import type { DataOptions } from './options.js';
import type { Dataset, Split } from './schema.js';
import { allRows } from './rows.js';
import { sortedRows } from './sort.js';

/** Draws that are made at once: a block of the generator. */
const DRAWS = 624;

/**
 * A permutation of 0 .. n-1, the one that PyTorch's CPU `randperm` draws from the same state (n below 2^32 / 20).
 * Uses n - 1 draws.
 */
export function randperm(n: number, rng: Mt19937): Uint32Array {
  return shuffled(allRows(n), rng);
}

/** Puts `items` in the order of `randperm`, in place, and returns them. */
export function shuffled(items: Uint32Array, rng: Mt19937): Uint32Array {
  const draws = new Uint32Array(DRAWS);
  const last = items.length - 1;
  for (let from = 0; from < last; from += DRAWS) {
    const own = draws.subarray(0, Math.min(DRAWS, last - from));
    rng.fill(own);
    swapOn(items, from, own);
  }
  return items;
}

/** Swaps the items from `from` on, one a draw, with one of those behind or with themselves. */
function swapOn(items: Uint32Array, from: number, draws: Uint32Array): void {
  for (let k = 0, at = from, left = items.length - from; k < draws.length; k++, at++, left--) {
    const other = at + (draws[k] % left);
    const kept = items[at];
    items[at] = items[other];
    items[other] = kept;
  }
}

/**
 * Divides the interactions as `eval_args` says, row for row as RecBole does: shuffle with the seed or sort by time,
 * then by ratio or leaving one out, over all rows or user by user. A data set that was split before keeps its parts.
 * Throws DataError if the order is by time and there is none.
 */
export function splitDataset(
  dataset: Dataset,
  options: Pick<DataOptions, 'eval_args' | 'seed' | 'TIME_FIELD'>,
): Split {
  const { rows } = dataset.inter;
  if (dataset.benchmark !== undefined) return slices(allRows(rows), dataset.benchmark);
  const { split, order, group_by } = options.eval_args;
  const ordered =
    order === 'TO' ? byTime(dataset, options.TIME_FIELD) : randperm(rows, new Mt19937(options.seed));
  if ('RS' in split && group_by !== 'user') return slices(ordered, partSizes(rows, split.RS));
  const sizesOf = 'RS' in split ? (n: number) => partSizes(n, split.RS) : leaveOneOut(split.LS);
  const users = dataset.inter.columns.get(dataset.schema.userField);
  if (users?.type !== 'token') throw new DataError(`split: no user ids in ${dataset.name}; check load_col`);
  return splitGroups(ordered, users.ids, sizesOf);
}

/** Rows of train, valid and test. */
type Sizes = readonly number[];

/** RecBole sorts the float32 column: timestamps that are a minute apart may be equal there, and keep their order. */
function byTime(dataset: Dataset, field: string): Uint32Array {
  const times = dataset.inter.columns.get(field);
  if (times?.type !== 'float') {
    throw new DataError(`eval_args: order TO needs the float field ${field} in .inter; add it to load_col`);
  }
  return sortedRows(allRows(dataset.inter.rows), times.values);
}

function slices(order: Uint32Array, [train, valid, test]: Sizes): Split {
  return {
    train: order.slice(0, train),
    valid: order.slice(train, train + valid),
    test: order.slice(train + valid, train + valid + test),
  };
}

/** Rounded down, the rest is for training; a later part that would be empty takes one row from it while it has two. */
function partSizes(rows: number, ratios: readonly number[]): Sizes {
  const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
  const shares = ratios.map((ratio) => (ratio / total) * rows);
  const sizes = shares.map(Math.trunc);
  sizes[0] = rows - sizes[1] - sizes[2];
  for (let part = 2; part > 0 && sizes[0] > 1; part--) {
    if (shares[part] > 0 && shares[part] < 1) {
      sizes[part]++;
      sizes[0]--;
    }
  }
  return sizes;
}

function leaveOneOut(mode: 'valid_and_test' | 'valid_only' | 'test_only'): (rows: number) => Sizes {
  if (mode === 'valid_only') return (rows) => (rows > 1 ? [rows - 1, 1, 0] : [rows, 0, 0]);
  if (mode === 'test_only') return (rows) => (rows > 1 ? [rows - 1, 0, 1] : [rows, 0, 0]);
  // Of two rows the second is for testing.
  return (rows) => (rows > 2 ? [rows - 2, 1, 1] : rows > 1 ? [1, 0, 1] : [rows, 0, 0]);
}

/** Splits each group by itself; groups follow in the order of their first rows, rows within one keep theirs. */
function splitGroups(order: Uint32Array, group: Uint32Array, sizesOf: (rows: number) => Sizes): Split {
  const { grouped, sizes } = groupRows(order, group);
  const counts = sizes.map(sizesOf);
  const parts = [0, 1, 2].map((part) => new Uint32Array(counts.reduce((sum, one) => sum + one[part], 0)));
  const ends = [0, 0, 0];
  let from = 0;
  for (const one of counts) {
    one.forEach((count, part) => {
      parts[part].set(grouped.subarray(from, from + count), ends[part]);
      ends[part] += count;
      from += count;
    });
  }
  const [train, valid, test] = parts;
  return { train, valid, test };
}

/** The rows group after group, and how many each group has. */
function groupRows(order: Uint32Array, group: Uint32Array): { grouped: Uint32Array; sizes: number[] } {
  const groups = order.reduce((most, row) => Math.max(most, group[row]), 0) + 1;
  const position = new Int32Array(groups).fill(-1);
  const sizes: number[] = [];
  for (const row of order) {
    if (position[group[row]] < 0) position[group[row]] = sizes.push(0) - 1;
    sizes[position[group[row]]]++;
  }
  let end = 0;
  const next = sizes.map((size) => (end += size) - size);
  const grouped = new Uint32Array(order.length);
  for (const row of order) grouped[next[position[group[row]]]++] = row;
  return { grouped, sizes };
}
