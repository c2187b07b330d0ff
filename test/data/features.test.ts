import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discretize, fillMissing, normalize, padded } from '../../data/features.js';

const filling = suite('fillMissing');

filling('puts the mean of the present values', () => {
  const values = Float64Array.of(1, NaN, 4, NaN);
  fillMissing(values);
  assert.equal([...values], [1, 2.5, 4, 2.5]);
});

filling('leaves a column without values alone', () => {
  const values = Float64Array.of(NaN, NaN);
  fillMissing(values);
  assert.equal([...values], [NaN, NaN]);
});

filling.run();

const scaling = suite('normalize');

scaling('brings the least to 0 and the largest to 1', () => {
  const values = Float64Array.of(-2, 6, 0);
  assert.ok(normalize(values));
  assert.equal([...values], [0, 1, 0.25]);
});

scaling('brings equal values to 1 and says so', () => {
  const values = Float64Array.of(7, 7);
  assert.not(normalize(values));
  assert.equal([...values], [1, 1]);
});

scaling.run();

const buckets = suite('discretize');
const bucketsOf = (values: readonly number[], method: 'ED' | 'LD', bucket?: number) => [
  ...discretize(Float64Array.from(values), bucket === undefined ? { method } : { method, bucket }),
];

buckets('of equal distance count from 1, the largest value falls into the last', () => {
  assert.equal(bucketsOf([0, 2.4, 2.6, 6, 10], 'ED', 4), [1, 1, 2, 3, 4]);
});

buckets('of equal distance put equal values into the first, or the last where 1e-9 is nothing', () => {
  assert.equal(bucketsOf([3, 3], 'ED', 4), [1, 1]);
  assert.equal(bucketsOf([1e12, 1e12], 'ED', 4), [4, 4]);
});

buckets('by logarithm are numbered from 0 without gaps', () => {
  // Up to 2 as they are; floor(ln(3)^2 + 1) = 2, floor(ln(20)^2 + 1) = 9, floor(ln(1000)^2 + 1) = 48.
  assert.equal(bucketsOf([0, 1000, 2, 3, 20, 1, 0], 'LD'), [0, 4, 2, 2, 3, 1, 0]);
});

buckets.run();

const padding = suite('padded');

padding('fills rows up to the longest with 0', () => {
  const { items, maxLength } = padded(Uint32Array.of(1, 2, 3), Uint32Array.of(0, 2, 2, 3));
  assert.is(maxLength, 2);
  assert.equal([...items], [1, 2, 0, 0, 3, 0]);
});

padding.run();
