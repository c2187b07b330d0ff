import { allRows } from '../../data/rows.js';
import type { Dataset, Split } from '../../data/schema.js';
import type { Features } from '../../models/index.js';
import type { PairScorer } from '../ranking/scores.js';
import type { Runner } from '../runner.js';

/** Rows for the columns that a pair does not have itself: row numbers of `Features.rows` by user id. */
export type ContextRows = Pick<Uint32Array, number>;

/**
 * The row whose context stands for all of a user's candidates: that of the user's first positive in the phase, by
 * user id. RecBole's uni100 loader repeats the positives' rows in turn under the drawn items; we take one of them for
 * the whole list, positives included, so that the list is ranked at one moment. Without context columns it is the same.
 */
export function firstPositives(dataset: Dataset, split: Split, phase: 'valid' | 'test'): Uint32Array {
  const { inter, label, schema, vocabularies } = dataset;
  const users = inter.columns.get(schema.userField);
  if (users?.type !== 'token' || label === null) throw new Error('rank: the data set has no users or labels');
  const first = new Uint32Array(vocabularies.get(schema.userField)?.length ?? 0);
  // Backwards, so that the first one is written last.
  for (let i = split[phase].length - 1; i >= 0; i--) {
    const row = split[phase][i];
    if (label[row] === 1) first[users.ids[row]] = row;
  }
  return first;
}

/** Writes rows of words for (user, item) pairs into `words`: the user's context row with user and item put in. */
export function writePairs(
  features: Features,
  contextOf: ContextRows,
  users: Uint32Array,
  items: Uint32Array,
  words: Uint32Array,
): void {
  const { layout, schema, rows: contexts } = features;
  const { width } = layout;
  const own = schema.token.filter(({ source }) => source === 'inter');
  const columnOf = (field: string) => own.findIndex(({ name }) => name === field);
  const [userColumn, itemColumn] = [columnOf(schema.userField), columnOf(schema.itemField)];
  const userOffset = own[userColumn]?.offset ?? 0;
  const itemOffset = own[itemColumn]?.offset ?? 0;
  for (let i = 0; i < users.length; i++) {
    const from = contextOf[users[i]] * width;
    const to = i * width;
    for (let j = 0; j < width; j++) words[to + j] = contexts[from + j];
    words[to + layout.user] = users[i];
    words[to + layout.item] = items[i];
    if (userColumn >= 0) words[to + layout.tokens + userColumn] = userOffset + users[i];
    if (itemColumn >= 0) words[to + layout.tokens + itemColumn] = itemOffset + items[i];
  }
}

/** Scores pairs with a trained model, `batchRows` at most at a time; contexts as `writePairs` has them. */
export function pairScorer(
  runner: Pick<Runner, 'scores'>,
  features: Features,
  contextOf: ContextRows,
  batchRows: number,
): PairScorer {
  const words = new Uint32Array(batchRows * features.layout.width);
  const order = allRows(batchRows);
  return async (users, items) => {
    writePairs(features, contextOf, users, items, words);
    return (await runner.scores(order.subarray(0, users.length), words)).score;
  };
}

/** About a million words: enough to keep a device busy, whole evaluation batches, and bounded for long rows. */
const pairWords = 1 << 20;

/** Pairs to score at once. */
export function pairBatchRows(features: Features, evalBatch: number): number {
  return Math.max(1, Math.floor(pairWords / features.layout.width / evalBatch)) * evalBatch;
}
