import { DataError } from '../data/errors.js';
import { Mt19937 } from '../data/mt19937.js';
import type { Dataset, Split } from '../data/schema.js';

/** Which items a user's positives are ranked against: 100 uniform draws for each, or every item. */
export type RankingMode = 'uni100' | 'full';

export interface RankingOptions {
  readonly phase: 'valid' | 'test';
  readonly mode: RankingMode;
  readonly seed: number;
}

/** What is to be ranked for one user. */
export interface RankingUser {
  readonly user: number;
  /** Distinct item ids: the positives first, then the negatives, each in the order they came. */
  readonly candidates: Uint32Array;
  /** Distinct item ids with label 1 in the phase, in the order of the split. */
  readonly positives: Uint32Array;
}

/** Users with at least one positive, ascending by id. Every iteration starts anew and gives the same. */
export type RankingTask = Iterable<RankingUser>;

const DRAWS_PER_POSITIVE = 100;

/**
 * The paper's ranking protocol. Excluded from a user's negatives are the items of all training rows and of the rows
 * with label 1 up to and including the phase. `uni100` repeats RecBole's sampler over numpy's generator draw by draw,
 * so the candidates are the original's. One user is held at a time. Throws DataError without labels, or when a user
 * leaves nothing to draw.
 */
export function rankingTask(dataset: Dataset, split: Split, options: RankingOptions): RankingTask {
  const rows = rankedRows(dataset, split, options.phase);
  const context = { dataset, rows, itemCount: itemCountOf(dataset), ...options };
  return { [Symbol.iterator]: () => (options.mode === 'full' ? allItems(context) : sampledItems(context)) };
}

interface Context extends RankingOptions {
  readonly dataset: Dataset;
  readonly rows: RankedRows;
  /** Item ids run from 1 to itemCount - 1. */
  readonly itemCount: number;
}

/** Row numbers by user: those whose items are excluded, and among them the positives of the phase. */
interface RankedRows {
  readonly users: Uint32Array;
  readonly items: Uint32Array;
  readonly seen: RowsByUser;
  readonly positive: RowsByUser;
}

interface RowsByUser {
  /** Rows of user u: rows[starts[u] .. starts[u + 1]]. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

function rankedRows(dataset: Dataset, split: Split, phase: 'valid' | 'test'): RankedRows {
  const { label, name, schema } = dataset;
  if (label === null) {
    throw new DataError(`rank: ${name} has no label, ranking needs positives; set threshold or LABEL_FIELD`);
  }
  const users = idsOf(dataset, schema.userField);
  const positivesOf = (rows: Uint32Array) => rows.filter((row) => label[row] === 1);
  const positive = positivesOf(split[phase]);
  if (positive.length === 0) throw new DataError(`rank: no ${phase} row has label 1; check threshold`);
  const earlier = phase === 'test' ? [split.train, positivesOf(split.valid)] : [split.train];
  return {
    users,
    items: idsOf(dataset, schema.itemField),
    seen: groupByUser(users, [...earlier, positive]),
    positive: groupByUser(users, [positive]),
  };
}

function idsOf(dataset: Dataset, field: string): Uint32Array {
  const column = dataset.inter.columns.get(field);
  if (column?.type !== 'token')
    throw new DataError(`rank: ${dataset.name} has no ids of ${field}; check load_col`);
  return column.ids;
}

function itemCountOf({ schema, name, vocabularies }: Dataset): number {
  const tokens = vocabularies.get(schema.itemField);
  if (tokens === undefined)
    throw new DataError(`rank: ${name} has no field ${schema.itemField}; check load_col`);
  return tokens.length;
}

/** A counting sort, stable: rows keep their order within a user. */
function groupByUser(users: Uint32Array, parts: readonly Uint32Array[]): RowsByUser {
  const most = users.reduce((largest, user) => (user > largest ? user : largest), 0);
  const starts = new Uint32Array(most + 2);
  for (const part of parts) for (const row of part) starts[users[row] + 1]++;
  for (let user = 0; user <= most; user++) starts[user + 1] += starts[user];
  const next = starts.slice();
  const rows = new Uint32Array(starts[most + 1]);
  for (const part of parts) for (const row of part) rows[next[users[row]]++] = row;
  return { starts, rows };
}

interface UserItems {
  readonly user: number;
  /** Excluded items: those of `positive` are among them. */
  readonly seen: ReadonlySet<number>;
  /** Items of the phase's positive rows, repeated if the pair is. */
  readonly positive: Uint32Array;
}

function* usersWithPositives({ rows }: Context): Generator<UserItems> {
  const itemsOf = (group: RowsByUser, user: number) =>
    group.rows.subarray(group.starts[user], group.starts[user + 1]).map((row) => rows.items[row]);
  for (let user = 0; user + 1 < rows.positive.starts.length; user++) {
    const positive = itemsOf(rows.positive, user);
    if (positive.length > 0) yield { user, seen: new Set(itemsOf(rows.seen, user)), positive };
  }
}

function* allItems(context: Context): Generator<RankingUser> {
  for (const { user, seen, positive } of usersWithPositives(context)) {
    const positives = distinct(positive);
    const candidates = new Uint32Array(context.itemCount - 1 - seen.size + positives.length);
    candidates.set(positives);
    let next = positives.length;
    for (let item = 1; item < context.itemCount; item++) if (!seen.has(item)) candidates[next++] = item;
    yield { user, candidates, positives };
  }
}

function* sampledItems(context: Context): Generator<RankingUser> {
  const random = new Mt19937(context.seed);
  for (const { user, seen, positive } of usersWithPositives(context)) {
    if (seen.size >= context.itemCount - 1) throw nothingToDraw(context, user);
    // A pair listed twice draws twice but is ranked once, as the original's score matrix has it.
    const positives = distinct(positive);
    const negatives = drawUnseen(random, positive.length * DRAWS_PER_POSITIVE, context.itemCount - 1, seen);
    yield { user, candidates: distinct([...positives, ...negatives]), positives };
  }
}

function nothingToDraw({ dataset, itemCount }: Context, user: number): DataError {
  const token = dataset.vocabularies.get(dataset.schema.userField)?.[user] ?? user;
  return new DataError(
    `rank: user ${token} of ${dataset.name} has seen all ${itemCount - 1} items, there is no negative to draw; ` +
      'filter such users with user_inter_num_interval, or use --mode=full',
  );
}

/** `count` items of 1 .. `items` outside `seen`: all are drawn, then those inside are drawn anew, round after round. */
function drawUnseen(random: Mt19937, count: number, items: number, seen: ReadonlySet<number>): Uint32Array {
  const drawn = new Uint32Array(count);
  let open = drawn.map((_, position) => position);
  while (open.length > 0) {
    for (const position of open) drawn[position] = 1 + uniformBelow(random, items);
    open = open.filter((position) => seen.has(drawn[position]));
  }
  return drawn;
}

/** Uniform in 0 .. n - 1 as numpy's legacy `randint`: the low bits of a draw, thrown away while they are too large. */
function uniformBelow(random: Mt19937, n: number): number {
  // A range of one value takes no draw.
  if (n === 1) return 0;
  const mask = 2 ** (32 - Math.clz32(n - 1)) - 1;
  for (;;) {
    const value = (random.next() & mask) >>> 0;
    if (value < n) return value;
  }
}

const distinct = (ids: Iterable<number>): Uint32Array => Uint32Array.from(new Set(ids));
