import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseIntervals, type Intervals } from '../../data/intervals.js';

const parsing = suite('parseIntervals');
const inside = ({ within }: Intervals, values: readonly number[]) => values.filter(within);

parsing('takes open and closed ends', () => {
  const values = [1, 1.5, 2];
  assert.equal(inside(parseIntervals('[1,2]', 'x'), values), [1, 1.5, 2]);
  assert.equal(inside(parseIntervals('(1,2]', 'x'), values), [1.5, 2]);
  assert.equal(inside(parseIntervals('[1,2)', 'x'), values), [1, 1.5]);
  assert.equal(inside(parseIntervals('(1,2)', 'x'), values), [1.5]);
});

parsing('takes infinite ends and spaces', () => {
  assert.equal(inside(parseIntervals('[10,inf)', 'x'), [9, 10, 1e9]), [10, 1e9]);
  assert.equal(inside(parseIntervals(' ( -inf , 3 ] ', 'x'), [-9, 3, 4]), [-9, 3]);
});

parsing('joins several by semicolons', () => {
  const intervals = parseIntervals('[1,2];(4,5)', 'x');
  assert.equal(inside(intervals, [0, 1, 2, 3, 4, 4.5, 5]), [1, 2, 4.5]);
  assert.is(intervals.least, 1);
});

parsing('takes a list of two as Python prints it', () => {
  assert.equal(inside(parseIntervals([1, 2], 'x'), [0, 1, 2, 3]), [1, 2]);
});

parsing('holds no missing value', () => {
  assert.not(parseIntervals('(-inf,inf)', 'x').within(NaN));
});

parsing('refuses what is none, naming the option', () => {
  for (const bad of ['', '10', '[10,inf', '[1,2,3]', '[a,2]', '[3,1]', '[1,]', '[1,2];']) {
    assert.throws(
      () => parseIntervals(bad, 'val_interval: rating'),
      /^val_interval: rating: ".*" is no interval/,
      bad,
    );
  }
});

parsing.run();
