import { DataError } from '../../data/errors.js';
import type { PairScorer } from '../ranking/scores.js';
import type { SeenItems } from './model.js';

/** The best items of a user, best first. */
export interface Recommendation {
  readonly user: number;
  readonly items: Uint32Array;
  readonly scores: Float32Array;
}

export interface RecommendOptions {
  readonly topk: number;
  /** Items are 1 … itemCount − 1. */
  readonly itemCount: number;
  /** What is not recommended; null recommends everything. */
  readonly seen: SeenItems | null;
  /** Pairs per call of the scorer. */
  readonly batchRows: number;
}

/**
 * The items with the highest scores for each user, in the order of `users`, ties by item id, lower first. Users share
 * batches; memory is bounded by one batch. A user who has seen everything gets an empty list. Throws DataError on a
 * NaN score.
 */
export async function* recommendations(
  users: Uint32Array,
  score: PairScorer,
  options: RecommendOptions,
): AsyncGenerator<Recommendation, void, void> {
  let served = 0;
  let best = new BestItems(options.topk);
  for (const batch of pairBatches(users, options)) {
    const scores = await score(batch.users, batch.items);
    for (let i = 0; i < scores.length; i++) {
      for (; users[served] !== batch.users[i]; served++) {
        yield best.of(users[served]);
        best = new BestItems(options.topk);
      }
      if (Number.isNaN(scores[i])) {
        throw new DataError(
          `predict: a score is NaN, of user ${batch.users[i]}; the model is spoilt, retrain`,
        );
      }
      best.add(batch.items[i], scores[i]);
    }
  }
  for (; served < users.length; served++) {
    yield best.of(users[served]);
    best = new BestItems(options.topk);
  }
}

interface PairBatch {
  readonly users: Uint32Array;
  readonly items: Uint32Array;
}

/** Every user with every item that is not seen, items ascending; the arrays are reused. */
function* pairBatches(
  users: Uint32Array,
  { itemCount, seen, batchRows }: RecommendOptions,
): Generator<PairBatch, void, void> {
  const batch = { users: new Uint32Array(batchRows), items: new Uint32Array(batchRows) };
  // Number of the user, counted from 1, who has seen the item.
  const seenBy = new Uint32Array(itemCount);
  let rows = 0;
  for (let n = 0; n < users.length; n++) {
    for (const item of seen?.of(users[n]) ?? []) seenBy[item] = n + 1;
    for (let item = 1; item < itemCount; item++) {
      if (seenBy[item] === n + 1) continue;
      batch.users[rows] = users[n];
      batch.items[rows++] = item;
      if (rows < batchRows) continue;
      yield batch;
      rows = 0;
    }
  }
  if (rows > 0) yield { users: batch.users.subarray(0, rows), items: batch.items.subarray(0, rows) };
}

/** The k best of items that come in ascending order, best first. */
class BestItems {
  #items: Uint32Array;
  #scores: Float32Array;
  #count = 0;

  constructor(k: number) {
    this.#items = new Uint32Array(k);
    this.#scores = new Float32Array(k);
  }

  add(item: number, score: number): void {
    const { length } = this.#items;
    if (this.#count === length && !(score > this.#scores[length - 1])) return;
    // An equal score stays behind the one before: its id is the higher one.
    let place = Math.min(this.#count, length - 1);
    for (; place > 0 && this.#scores[place - 1] < score; place--) {
      this.#items[place] = this.#items[place - 1];
      this.#scores[place] = this.#scores[place - 1];
    }
    this.#items[place] = item;
    this.#scores[place] = score;
    if (this.#count < length) this.#count++;
  }

  of(user: number): Recommendation {
    const [items, scores] = [this.#items.subarray(0, this.#count), this.#scores.subarray(0, this.#count)];
    return { user, items, scores };
  }
}
