import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, add, mul, sub, type Tensor } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const broadcastSuite = suite('add, sub, mul of a smaller second operand');
broadcastSuite.after(() => device.destroy());

const ops: Record<string, [(a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number]> = {
  add: [add, (a, b) => a + b],
  sub: [sub, (a, b) => a - b],
  mul: [mul, (a, b) => a * b],
};

/** Element of b under element i of a, by looking at each coordinate; a last axis [N] lines up with a's last. */
function under(i: number, a: readonly number[], b: readonly number[]): number {
  const padded = [...new Array<number>(a.length - b.length).fill(1), ...b];
  let at = 0;
  let stride = 1;
  for (let axis = a.length - 1, rest = i; axis >= 0; rest = Math.floor(rest / a[axis]), axis--) {
    at += padded[axis] === 1 ? 0 : (rest % a[axis]) * stride;
    stride *= padded[axis];
  }
  return at;
}

// Scalars, rows and columns; rows of whole vec4s and not; sums of one and of two levels, ragged and whole
const shapes: [number[], number[]][] = [
  [[1], [1]],
  [[3, 5], [1]],
  [[1, 7], [1]],
  [[300, 5], [1]],
  [[64, 80], [1]],
  [[3, 5], [5]],
  [[2, 3, 8], [8]],
  [[1, 6], [6]],
  [[200, 3], [3]],
  [[131, 12], [12]],
  [
    [3, 5],
    [3, 1],
  ],
  [
    [1, 5],
    [1, 1],
  ],
  [
    [2, 3, 8],
    [2, 3, 1],
  ],
  [
    [2, 3, 5],
    [2, 3, 1],
  ],
  [
    [70, 100],
    [70, 1],
  ],
  [
    [3, 131],
    [3, 1],
  ],
];

for (const [name, [op, f]] of Object.entries(ops)) {
  for (const [a, b] of shapes) {
    const one: OpCase = {
      inputs: { a: { shape: a }, b: { shape: b } },
      build: (t) => op(t.a, t.b),
      reference: (x) => x.a.map((value, i) => f(value, x.b[under(i, a, b)])),
    };
    broadcastSuite(`${name}([${a}], [${b}]) keeps the shape of a and is the formula`, async () => {
      assert.equal((await runCase(device, one)).shape, a);
      await checkForward(device, { ...one, tolerance: 1e-6 });
    });
    broadcastSuite(`${name}([${a}], [${b}]) has its gradients`, () => checkGradient(device, one));
  }
}

broadcastSuite('a bias that is added twice receives both sums', () =>
  checkGradient(device, {
    inputs: { x: { shape: [5, 3] }, b: { shape: [3] } },
    build: ({ x, b }) => add(mul(add(x, b), x), b),
    reference: ({ x, b }) => x.map((value, i) => (value + b[i % 3]) * value + b[i % 3]),
  }),
);

broadcastSuite('the second operand is never the larger one', () => {
  const tape = new Tape({ training: true });
  const input = (...shape: number[]) => tape.activation('t', shape);
  const message = (error: Error) => error instanceof ShapeError && error.message;
  assert.throws(
    () => add(input(4, 1), input(4, 5)),
    (error: Error) => message(error) === 'add: a [4,1] and b [4,5] disagree; b may be [4,1], [1]',
  );
  assert.throws(
    () => sub(input(2, 4, 5), input(4, 1)),
    (error: Error) =>
      message(error) === 'sub: a [2,4,5] and b [4,1] disagree; b may be [2,4,5], [1], [5], [2,4,1]',
  );
});

broadcastSuite.run();
