import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DataError } from '../../data/errors.js';
import { positiveClass, ratingClass, ratingEdges, withRatingClasses } from '../../data/rating_bins.js';
import { tinyDataset } from '../support/tiny.js';

/** Ratings 1 … of which there are `counts`, the most first, so that order is no help. */
const ratingsOf = (...counts: readonly number[]) =>
  Float32Array.from(counts.flatMap((rows, i) => new Array<number>(rows).fill(i + 1)).reverse());
// MovieLens' shares: 6 %, 11 %, 26 %, 35 %, 22 %.
const stars = ratingsOf(6, 11, 26, 35, 22);

const edges = suite('ratingEdges');

edges('cuts where the shares of the rows are nearest to equal', () => {
  assert.equal(ratingEdges(stars, 2), [4]);
  assert.equal(ratingEdges(stars, 3), [4, 5]);
  assert.equal(ratingEdges(stars, 4), [3, 4, 5]);
  assert.equal(ratingEdges(stars, 5), [2, 3, 4, 5]);
});

edges('keeps equal ratings together and gives every class rows', () => {
  assert.equal(ratingEdges(ratingsOf(96, 1, 1, 1, 1), 4), [2, 3, 4]);
  assert.equal(ratingEdges(ratingsOf(1, 1, 1, 1, 96), 4), [3, 4, 5]);
  const values = Float32Array.from({ length: 1000 }, (_, i) => ((i * 37) % 101) / 7);
  for (const bins of [2, 7, 50, 101]) {
    const found = ratingEdges(values, bins);
    const classes = new Set(Array.from(values, (value) => ratingClass(value, found)));
    assert.equal(
      [...classes].sort((a, b) => a - b),
      Array.from({ length: bins }, (_, k) => k + 1),
    );
  }
});

edges('makes classes of equal size where no ratings are equal', () => {
  const values = Float32Array.from({ length: 999 }, (_, i) => (i * 500) % 999);
  const found = ratingEdges(values, 3);
  assert.equal(found, [333, 666]);
});

edges('moves the nearest cut to the threshold, so that no class has both labels', () => {
  assert.equal(ratingEdges(stars, 2, 3), [3]);
  assert.equal(ratingEdges(stars, 3, 2), [2, 5]);
  assert.equal(ratingEdges(stars, 3, 3.5), [4, 5]);
  assert.equal(ratingEdges(stars, 3, 3), [3, 5]);
  for (const beyond of [0, 1, 6]) assert.equal(ratingEdges(stars, 3, beyond), [4, 5]);
});

edges('refuses more classes than there are ratings', () => {
  assert.throws(
    () => ratingEdges(stars, 6),
    (error: unknown) =>
      error instanceof DataError &&
      error.message ===
        'rating_bins: 6 classes were asked for, but the training rows have 5 distinct ratings; give at most 5',
  );
});

edges.run();

const classes = suite('withRatingClasses');

classes('puts classes in place of ratings and leaves labels as they are', () => {
  const dataset = tinyDataset({ rows: 37, users: 6, items: 9 });
  const merged = withRatingClasses(dataset, [3, 5]);
  const expected = dataset.rating?.map((rating) => (rating >= 5 ? 3 : rating >= 3 ? 2 : 1));
  assert.equal(merged.rating, expected);
  assert.is(merged.label, dataset.label);
  assert.is(withRatingClasses({ ...dataset, rating: null }, [3]).rating, null);
});

classes.run();

const positive = suite('positiveClass');

positive('is that which begins at the threshold, or the first above it', () => {
  assert.is(positiveClass([2, 4, 5], 4), 2);
  assert.is(positiveClass([2, 4, 5], 3), 2);
  assert.is(positiveClass([4], 4), 1);
});

positive('is the last one at most, so that some class is positive', () => {
  assert.is(positiveClass([2, 3], 5), 2);
});

positive.run();
