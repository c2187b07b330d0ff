import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, add, concat, tanh } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const concatSuite = suite('concat');
concatSuite.after(() => device.destroy());

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Row by row of the axes before `axis`, what each input has there. */
function reference(parts: readonly Float64Array[], shapes: readonly number[][], axis: number): number[] {
  const y: number[] = [];
  for (let outer = 0; outer < product(shapes[0].slice(0, axis)); outer++) {
    parts.forEach((x, i) => {
      const length = product(shapes[i].slice(axis));
      y.push(...x.slice(outer * length, (outer + 1) * length));
    });
  }
  return y;
}

// Every axis of every rank; slices of whole vec4s at such places, and not; beyond a workgroup
const cases: [number[][], number, number[]][] = [
  [[[3], [5], [1]], 0, [9]],
  [
    [
      [3, 5],
      [1, 5],
    ],
    0,
    [4, 5],
  ],
  [
    [
      [3, 5],
      [3, 2],
      [3, 1],
      [3, 4],
    ],
    1,
    [3, 12],
  ],
  [
    [
      [1, 8],
      [1, 4],
    ],
    1,
    [1, 12],
  ],
  [
    [
      [70, 8],
      [70, 12],
      [70, 4],
    ],
    1,
    [70, 24],
  ],
  [
    [
      [5, 4],
      [5, 8],
      [5, 3],
    ],
    1,
    [5, 15],
  ],
  [
    [
      [2, 3, 4],
      [1, 3, 4],
    ],
    0,
    [3, 3, 4],
  ],
  [
    [
      [2, 3, 5],
      [2, 1, 5],
    ],
    1,
    [2, 4, 5],
  ],
  [
    [
      [2, 3, 8],
      [2, 2, 8],
    ],
    1,
    [2, 5, 8],
  ],
  [
    [
      [2, 3, 5],
      [2, 3, 1],
    ],
    2,
    [2, 3, 6],
  ],
];

for (const [shapes, axis, expected] of cases) {
  const names = shapes.map((_, i) => `x${i}`);
  const one: OpCase = {
    inputs: Object.fromEntries(names.map((name, i) => [name, { shape: shapes[i] }])),
    build: (t) =>
      concat(
        names.map((name) => t[name]),
        axis,
      ),
    reference: (x) =>
      reference(
        names.map((name) => x[name]),
        shapes,
        axis,
      ),
  };
  const what = `${shapes.map((shape) => `[${shape}]`).join(', ')} along axis ${axis}`;
  concatSuite(`${what} is [${expected}], in order`, async () => {
    assert.equal((await runCase(device, one)).shape, expected);
    await checkForward(device, { ...one, tolerance: 0 });
  });
  concatSuite(`${what} hands each input its part of the gradient`, () => checkGradient(device, one));
}

concatSuite('an input given twice receives both gradients', () =>
  checkGradient(device, {
    inputs: { x: { shape: [3, 4] } },
    build: ({ x }) => concat([x, tanh(x), x], 1),
    reference: ({ x }) =>
      reference(
        [x, x.map(Math.tanh), x],
        [
          [3, 4],
          [3, 4],
          [3, 4],
        ],
        1,
      ),
  }),
);

concatSuite('one tensor is returned as it is', () => {
  const x = new Tape({ training: true }).input('x', [2, 3]);
  assert.is(concat([x], 1), x);
});

concatSuite('inputs that need no gradient get none', async () => {
  const tape = new Tape({ training: true });
  const y = concat([tape.input('c', [2, 3]), tape.variable('x', [2, 3])], 1);
  const last = tape.recorded()[0];
  const gradients = last.backward(
    add(y, y),
    tape.runner('concat', 'concat', [], () => {}),
  );
  assert.equal(
    gradients.map((g) => g !== undefined),
    [false, true],
  );
});

concatSuite('says which shapes disagree', () => {
  const tape = new Tape({ training: true });
  const [a, b, c] = [tape.input('a', [2, 3]), tape.input('b', [3, 3]), tape.input('c', [2, 3, 1])];
  const throws = (f: () => void, message: string) =>
    assert.throws(f, (error: Error) => error instanceof ShapeError && error.message === message);
  throws(() => concat([a, b], 1), 'concat: [2,3] and [3,3] disagree; only axis 1 may differ');
  throws(() => concat([a, c], 1), 'concat: [2,3] and [2,3,1] disagree; only axis 1 may differ');
  throws(() => concat([a, b], 2), 'concat: [2,3] has axes 0…1, but axis is 2');
  throws(() => concat([], 0), 'concat: no tensors were given');
});

concatSuite.run();
