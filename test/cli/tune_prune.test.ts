import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bestOf, isPruned, median, type Curve, type Earlier, type PruneRule } from '../../cli/tune/prune.js';

const curve = (...scores: readonly number[]): Curve => scores.map((score, epoch) => ({ epoch, score }));
const whole = (...scores: readonly number[]): Earlier => ({ curve: curve(...scores), isWhole: true });
const pruned = (...scores: readonly number[]): Earlier => ({ curve: curve(...scores), isWhole: false });
const rule: PruneRule = { pruner: 'median', bigger: true, startup: 2, warmup: 1 };

const pruning = suite('isPruned');

pruning('by the median asks for the best so far of each trial at that epoch', () => {
  const before = [whole(0.5, 0.6, 0.9), whole(0.7, 0.65, 0.8), whole(0.6, 0.7, 0.7)];
  // The bests after two epochs are 0.6, 0.7 and 0.7.
  assert.is(isPruned(curve(0.69, 0.6), before, rule), true);
  assert.is(isPruned(curve(0.5, 0.7), before, rule), false, 'as good as the median');
  assert.is(isPruned(curve(0.75, 0.1), before, rule), false, 'was better before');
});

pruning('takes the smaller for better where the metric says so', () => {
  const before = [whole(0.5), whole(0.6), whole(0.7)];
  assert.is(isPruned(curve(0.65), before, { ...rule, bigger: false }), true);
  assert.is(isPruned(curve(0.65), before, rule), false);
});

pruning('compares with trials that got as far, or that ended by themselves', () => {
  assert.is(isPruned(curve(0.6, 0.6), [pruned(0.9), pruned(0.9)], rule), false);
  assert.is(isPruned(curve(0.6, 0.6), [whole(0.9), whole(0.9)], rule), true);
});

pruning('waits for the first trials and epochs', () => {
  assert.is(isPruned(curve(0.1), [whole(0.9)], rule), false);
  const before = [whole(0.9, 0.9), whole(0.9, 0.9)];
  assert.is(isPruned(curve(0.1), before, { ...rule, warmup: 2 }), false);
  assert.is(isPruned(curve(0.1, 0.1), before, { ...rule, warmup: 2 }), true);
  assert.is(isPruned(curve(0.1), before, { ...rule, pruner: 'none' }), false);
});

pruning('by halving lets the best third go on, at rungs alone', () => {
  const halving: PruneRule = { ...rule, pruner: 'halving', startup: 1 };
  const before = [0.1, 0.2, 0.3, 0.4, 0.5].map((score) => whole(score, score, score, score));
  assert.is(isPruned(curve(0.45), before, halving), false, 'second of six');
  assert.is(isPruned(curve(0.35), before, halving), true, 'third of six');
  assert.is(isPruned(curve(0.35, 0.35), before, halving), false, 'two epochs are no rung');
  assert.is(isPruned(curve(0.35, 0.35, 0.35), before, halving), true);
});

pruning('passes over epochs that were not evaluated, or that are not a number', () => {
  const late: Curve = [{ epoch: 3, score: 0.2 }];
  assert.is(isPruned(late, [whole(0.1, 0.1, 0.1, 0.5), whole(0.3)], rule), true);
  assert.is(isPruned(curve(NaN), [whole(0.5), whole(0.6)], rule), true);
  assert.is(isPruned(curve(0.5), [whole(NaN), whole(NaN)], rule), false);
});

const numbers = suite('bestOf and median');

numbers('are what they say', () => {
  assert.is(bestOf(curve(0.3, 0.2, 0.9), true, 2), 0.3);
  assert.is(bestOf(curve(0.3, 0.2, 0.9), false), 0.2);
  assert.is(bestOf([], true), -Infinity);
  assert.equal([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});

pruning.run();
numbers.run();
