import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meanStd, pairedTTest, studentTail } from '../../cli/experiment/statistics.js';

/** Fails unless two numbers agree in six digits, as far as published tables go. */
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-6 * Math.abs(expected), `${actual}, expected ${expected}`);
}

const spread = suite('meanStd');

spread('is the mean and the deviation of a sample', () => {
  const { n, mean, std } = meanStd([2, 4, 4, 4, 5, 5, 7, 9]);
  assert.equal([n, mean], [8, 5]);
  near(std, Math.sqrt(32 / 7));
});

spread('knows no deviation of one value and no mean of none', () => {
  assert.equal(meanStd([0.75]), { n: 1, mean: 0.75, std: NaN });
  assert.equal(meanStd([]), { n: 0, mean: NaN, std: NaN });
});

spread.run();

const tail = suite('studentTail');

tail('is that of published tables', () => {
  // Two-sided critical values, and tails from SciPy 1.10: 2 * stats.t.sf(t, df).
  near(studentTail(12.7062047362, 1), 0.05);
  near(studentTail(2.7764451052, 4), 0.05);
  near(studentTail(4.6040948713, 4), 0.01);
  near(studentTail(8.6103015814, 4), 0.001);
  near(studentTail(1, 4), 0.373900966300059);
  near(studentTail(20, 4), 3.6883105802997276e-5);
  near(studentTail(3, 1000), 0.0027667090442381878);
  near(studentTail(-40, 9), 1.8982998449339835e-11);
});

tail('is 1 at 0 and 0 at infinity', () => {
  assert.equal([studentTail(0, 4), studentTail(-Infinity, 4), studentTail(NaN, 4)], [1, 0, NaN]);
});

tail.run();

const paired = suite('pairedTTest');

paired("repeats Student's example of two soporifics", () => {
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const { n, difference, t, p } = pairedTTest(first, second);
  assert.is(n, 10);
  near(difference, -1.58);
  near(t, -4.062127683382037);
  near(p, 0.0028328901971613);
});

paired('is sure of a difference without spread, and of none', () => {
  assert.equal(pairedTTest([3, 4], [2, 3]), { n: 2, difference: 1, t: Infinity, p: 0 });
  assert.equal(pairedTTest([1, 2], [1, 2]), { n: 2, difference: 0, t: 0, p: 1 });
});

paired('says nothing about one pair, and refuses odd ones', () => {
  assert.equal(pairedTTest([1], [2]), { n: 1, difference: -1, t: NaN, p: NaN });
  assert.throws(() => pairedTTest([1], [1, 2]), /1 and 2 values; give pairs/);
});

paired.run();
