import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutsOf, flushBefore, flushSteps, scoredSteps } from '../../cli/runner/cuts.js';

const cuts = suite('cutsOf');

cuts('covers every step once, in chunks that are full where nothing ends', () => {
  assert.equal(cutsOf(0, 7, 3), [
    { first: 0, last: 3, flush: false },
    { first: 3, last: 6, flush: false },
    { first: 6, last: 7, flush: true },
  ]);
  assert.equal(cutsOf(7, 7, 3), []);
});

cuts('flushes at the same steps wherever it starts', () => {
  const steps = 2 * flushSteps + 100;
  for (const from of [0, 1, flushSteps - 1, flushSteps, flushSteps + 5, steps - 1]) {
    for (const chunkSteps of [1, 32, 1000]) {
      const list = cutsOf(from, steps, chunkSteps);
      const flushed = list.filter(({ flush }) => flush).map(({ last }) => last);
      assert.equal(
        flushed,
        [flushSteps, 2 * flushSteps, steps].filter((step) => step > from),
      );
      assert.is(list[0].first, from);
      for (const [i, { first, last }] of list.entries()) {
        assert.ok(last > first && last - first <= chunkSteps);
        assert.is(list[i + 1]?.first ?? steps, last);
      }
    }
  }
});

cuts.run();

const before = suite('flushBefore');

before('is the last flush at or before a step, within what the schedule holds', () => {
  assert.equal([0, 1, flushSteps - 1, flushSteps, flushSteps + 1].map(flushBefore), [
    0,
    0,
    0,
    flushSteps,
    flushSteps,
  ]);
});

before.run();

const scoring = suite('scoredSteps');

scoring('are a quarter of what there is, at least one and at most a full chunk', () => {
  assert.equal(
    [0, 0.3, 1, 4, 4.1, 25, 128, 200].map((steps) => scoredSteps(steps, 32)),
    [1, 1, 1, 1, 2, 7, 32, 32],
  );
});

scoring.run();
