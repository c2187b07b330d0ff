import * as assert from 'uvu/assert';

type Numbers = ArrayLike<number>;

/** Largest absolute difference; Infinity if lengths differ or something is not a number. */
export function maxDifference(actual: Numbers, expected: Numbers): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(difference)) return Infinity;
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** Asserts |actual − expected| <= tolerance · max(1, |expected|) everywhere; says where it is worst. */
export function close(actual: Numbers, expected: Numbers, tolerance: number, what = 'values'): void {
  assert.is(actual.length, expected.length, `${what}: ${actual.length} values, expected ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(error <= tolerance)) {
      assert.unreachable(`${what}[${i}]: ${actual[i]}, expected ${expected[i]} within ${tolerance}`);
    }
  }
}
