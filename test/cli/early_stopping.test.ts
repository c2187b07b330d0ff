import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isOver, judge, noScore, type StoppingRule } from '../../cli/early_stopping.js';

/** Epochs whose model is kept, and the epoch after which the run ends (null if it does not). */
function follow(scores: readonly number[], rule: StoppingRule) {
  let state = noScore(rule);
  const kept: number[] = [];
  for (const [epoch, score] of scores.entries()) {
    const verdict = judge(state, epoch, score, rule);
    assert.is(verdict.stop, isOver(verdict.state, rule));
    state = verdict.state;
    if (verdict.improved) kept.push(epoch);
    if (verdict.stop) return { kept, end: epoch, state };
  }
  return { kept, end: null, state };
}

const judging = suite('judge');

judging('ends after patience + 1 evaluations in a row without improvement', () => {
  const rule = { bigger: true, patience: 2 };
  const { kept, end, state } = follow([0.5, 0.6, 0.55, 0.54, 0.53, 0.9], rule);
  assert.equal([kept, end], [[0, 1], 4]);
  assert.equal(state, { best: 0.6, bestEpoch: 1, waited: 3 });
});

judging('counts a tie as improvement, which renews the patience', () => {
  const { kept, end } = follow([0.6, 0.5, 0.6, 0.5, 0.5], { bigger: true, patience: 1 });
  assert.equal([kept, end], [[0, 2], 4]);
});

judging('ends at the first evaluation without improvement if nothing is forgiven', () => {
  assert.is(follow([0.6, 0.5], { bigger: true, patience: 0 }).end, 1);
});

judging('takes the smaller score where that is the better one', () => {
  const { kept, end } = follow([0.6, 0.5, 0.5, 0.7], { bigger: false, patience: 0 });
  assert.equal([kept, end], [[0, 1, 2], 3]);
});

judging('never takes NaN for an improvement', () => {
  const { kept, end } = follow([Number.NaN, 0.5, Number.NaN, Number.NaN], { bigger: true, patience: 1 });
  assert.equal([kept, end], [[1], 3]);
});

judging.run();

const start = suite('noScore');

start('is worse than any score, and has waited for nothing', () => {
  for (const bigger of [true, false]) {
    const rule = { bigger, patience: 0 };
    assert.is(judge(noScore(rule), 0, bigger ? -1e300 : 1e300, rule).improved, true);
    assert.is(isOver(noScore(rule), rule), false);
  }
});

start.run();
