import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, mean, sum } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();

/** Adds every element into the place that it has without the axis. */
function reference(x: Float64Array, shape: readonly number[], axis: number | undefined): Float64Array {
  if (axis === undefined) return Float64Array.of(x.reduce((a, b) => a + b, 0));
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const y = new Float64Array(x.length / shape[axis]);
  x.forEach((value, i) => (y[Math.floor(i / (inner * shape[axis])) * inner + (i % inner)] += value));
  return y;
}

// Every axis of every rank; short sums, long sums in two levels, many long sums in one; ragged and whole vec4s
const cases: [number[], number | undefined, number[]][] = [
  [[1], undefined, [1]],
  [[5], 0, [1]],
  [[539], undefined, [1]],
  [[539], 0, [1]],
  [[4096], undefined, [1]],
  [[7, 3], undefined, [1]],
  [[3, 4, 5], undefined, [1]],
  [[3, 5], 0, [5]],
  [[3, 5], 1, [3]],
  [[1, 5], 0, [5]],
  [[5, 1], 1, [5]],
  [[3, 4, 5], 0, [4, 5]],
  [[3, 4, 5], 1, [3, 5]],
  [[3, 7, 8], 1, [3, 8]],
  [[3, 4, 5], 2, [3, 4]],
  [[70, 7, 12], 1, [70, 12]],
  [[300, 6], 0, [6]],
  [[1001, 3], 0, [3]],
  [[2, 130, 4], 1, [2, 4]],
  [[2, 130, 3], 1, [2, 3]],
  [[5, 200], 1, [5]],
];

for (const [name, op] of Object.entries({ sum, mean })) {
  const opSuite = suite(name);
  for (const [shape, axis, expected] of cases) {
    const terms = axis === undefined ? shape.reduce((a, b) => a * b, 1) : shape[axis];
    const one: OpCase = {
      inputs: { x: { shape } },
      build: ({ x }) => op(x, axis),
      reference: ({ x }) =>
        reference(x, shape, axis).map((total) => (name === 'mean' ? total / terms : total)),
    };
    const what = `${name} of [${shape}] over ${axis === undefined ? 'everything' : `axis ${axis}`}`;
    opSuite(`${what} is [${expected}] and the loop`, async () => {
      assert.equal((await runCase(device, one)).shape, expected);
      await checkForward(device, one);
    });
    opSuite(`${what} has its gradient`, () => checkGradient(device, one));
  }

  opSuite(`${name} of many long sums needs no second level`, () =>
    checkForward(device, {
      inputs: { x: { shape: [70, 4100] } },
      build: ({ x }) => op(x, 0),
      reference: ({ x }) =>
        reference(x, [70, 4100], 0).map((total) => (name === 'mean' ? total / 70 : total)),
    }),
  );

  opSuite('says which axes there are', () => {
    const x = new Tape({ training: true }).input('x', [3, 4]);
    for (const axis of [2, -1, 0.5]) {
      assert.throws(
        () => op(x, axis),
        (error: Error) =>
          error instanceof ShapeError &&
          error.message === `${name}: x [3,4] has axes 0…1, but axis is ${axis}`,
      );
    }
  });
  if (name === 'mean') opSuite.after(() => device.destroy());
  opSuite.run();
}
