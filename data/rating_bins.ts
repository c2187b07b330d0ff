import { DataError } from './errors.js';
import type { Dataset } from './schema.js';

/** Ratings and how many rows have each, ascending. */
function counted(ratings: Float32Array): readonly (readonly [rating: number, rows: number])[] {
  const counts = new Map<number, number>();
  for (const rating of ratings) counts.set(rating, (counts.get(rating) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

/** Of the places first … last the one whose share of the rows is nearest to `share`, the lowest of equals. */
function nearest(shares: readonly number[], share: number, first: number, last: number): number {
  let best = first;
  for (let i = first; i <= last; i++) {
    if (Math.abs(shares[i] - share) < Math.abs(shares[best] - share)) best = i;
  }
  return best;
}

/**
 * Where ratings are cut into `bins` classes of about equally many rows: the lowest rating of each class but the first,
 * ascending. Equal ratings stay together, every class has rows, and one cut is at `threshold` (the nearest is moved there),
 * so that a class is either positive or negative. Throws DataError if there are fewer distinct ratings than classes.
 */
export function ratingEdges(ratings: Float32Array, bins: number, threshold?: number): readonly number[] {
  const all = counted(ratings);
  if (bins > all.length) {
    throw new DataError(
      `rating_bins: ${bins} classes were asked for, but the training rows have ${all.length} distinct ratings; ` +
        `give at most ${all.length}`,
    );
  }
  // Cut i is above distinct rating i; shares[i] of the rows are below it.
  let below = 0;
  const shares = all.map(([, rows]) => (below += rows) / ratings.length);
  const cuts: number[] = [];
  for (let k = 1; k < bins; k++) {
    const last = all.length - 1 - (bins - k); // leaves a rating for every class to come
    cuts.push(nearest(shares, k / bins, (cuts.at(-1) ?? -1) + 1, last));
  }
  const wanted = threshold === undefined ? -1 : all.findLastIndex(([rating]) => rating < threshold);
  if (wanted >= 0 && wanted < all.length - 1 && !cuts.includes(wanted)) {
    const distance = (cut: number) => Math.abs(cut - wanted);
    const moved = cuts.reduce((best, cut, i) => (distance(cut) < distance(cuts[best]) ? i : best), 0);
    cuts[moved] = wanted;
  }
  return cuts.map((cut) => all[cut + 1][0]);
}

/** The class of a rating, 1 … edges + 1. */
export const ratingClass = (rating: number, edges: readonly number[]): number =>
  1 + edges.filter((edge) => rating >= edge).length;

/** The data set with classes 1 … N in place of its ratings; labels stay as they are. */
export function withRatingClasses(dataset: Dataset, edges: readonly number[]): Dataset {
  const { rating } = dataset;
  return rating === null ? dataset : { ...dataset, rating: rating.map((value) => ratingClass(value, edges)) };
}

/** The first class that counts as positive, from 0: that which begins at the threshold, or the first one above it. */
export function positiveClass(edges: readonly number[], threshold: number): number {
  const first = edges.findIndex((edge) => edge >= threshold);
  return first === -1 ? edges.length : first + 1;
}
