import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ShapeError,
  Tape,
  add,
  leakyRelu,
  mul,
  relu,
  scale,
  sigmoid,
  sub,
  tanh,
  type Tensor,
} from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';
import { numbers } from '../support/numbers.js';

const device = await testDevice();

const unarySuite = suite('unary ops');

const unary: Record<string, { op(x: Tensor): Tensor; f(x: number): number }> = {
  relu: { op: relu, f: (x) => Math.max(x, 0) },
  sigmoid: { op: sigmoid, f: (x) => 1 / (1 + Math.exp(-x)) },
  tanh: { op: tanh, f: Math.tanh },
  leaky_relu: { op: (x) => leakyRelu(x, 0.01), f: (x) => (x > 0 ? x : Math.fround(0.01) * x) },
  scale: { op: (x) => scale(x, -2.5), f: (x) => -2.5 * x },
};
// one element, a tail of one, beyond a workgroup of vec4s
const shapes = [[1], [3, 5], [2, 3, 4], [7, 131]];

for (const [name, { op, f }] of Object.entries(unary)) {
  for (const shape of shapes) {
    const one: OpCase = { inputs: { x: { shape } }, build: ({ x }) => op(x), reference: ({ x }) => x.map(f) };
    unarySuite(`${name} of [${shape}] keeps the shape and is the formula`, async () => {
      assert.equal((await runCase(device, one)).shape, shape);
      await checkForward(device, { ...one, tolerance: 1e-6 });
    });
    unarySuite(`${name} of [${shape}] has the gradient of the formula`, () => checkGradient(device, one));
  }
}

/** From the smallest to the largest magnitude, and densely where formulas change. */
const extremes = [
  0, 1e-38, 1e-20, 1e-7, 1e-3, 0.59999, 0.6, 0.60001, 1, 9, 20, 88.7, 89, 104, 1e4, 3e38,
].flatMap((x) => [x, -x]);
const range = [...extremes, ...Array.from({ length: 601 }, (_, i) => (i - 300) / 20)];

for (const name of ['sigmoid', 'tanh']) {
  const { op, f } = unary[name];
  const one: OpCase = {
    inputs: { x: { shape: [range.length], data: range } },
    build: ({ x }) => op(x),
    reference: ({ x }) => x.map(f),
  };
  unarySuite(`${name} is within 1e-6 everywhere and does not overflow`, async () => {
    const { x, y, gradients } = await runCase(device, one);
    x.x.forEach((value, i) => {
      const expected = f(value);
      assert.ok(Math.abs(y[i] - expected) < 1e-6, `${name}(${value}) is ${y[i]}, expected ${expected}`);
    });
    assert.ok(gradients.x.every(Number.isFinite));
  });
}

unarySuite('tanh is relatively exact near 0', async () => {
  const data = Array.from({ length: 40 }, (_, i) => 10 ** -(i / 4));
  const { x, y } = await runCase(device, {
    inputs: { x: { shape: [data.length], data } },
    build: ({ x }) => tanh(x),
    reference: ({ x }) => x,
  });
  x.x.forEach((value, i) =>
    assert.ok(Math.abs(y[i] / Math.tanh(value) - 1) < 1e-6, `tanh(${value}) is ${y[i]}`),
  );
});

unarySuite('relu has derivative 0 at 0', async () => {
  const { gradients } = await runCase(device, {
    inputs: { x: { shape: [3], data: [0, -1, 1] } },
    build: ({ x }) => relu(x),
    reference: ({ x }) => x,
  });
  assert.equal(
    [...gradients.x].map((g) => g === 0),
    [true, true, false],
  );
});

unarySuite.run();

const binarySuite = suite('add, sub, mul of equal shapes');

const binary = {
  add: { op: add, f: (a: number, b: number) => a + b },
  sub: { op: sub, f: (a: number, b: number) => a - b },
  mul: { op: mul, f: (a: number, b: number) => a * b },
};

for (const [name, { op, f }] of Object.entries(binary)) {
  for (const shape of shapes) {
    const one: OpCase = {
      inputs: { a: { shape }, b: { shape } },
      build: ({ a, b }) => op(a, b),
      reference: ({ a, b }) => a.map((value, i) => f(value, b[i])),
    };
    binarySuite(`${name} of [${shape}] is the formula`, () =>
      checkForward(device, { ...one, tolerance: 1e-6 }),
    );
    binarySuite(`${name} of [${shape}] has its gradients`, () => checkGradient(device, one));
  }
}

binarySuite('a tensor given twice receives both gradients', async () => {
  const one = (op: typeof mul, f: (x: number) => number): OpCase => ({
    inputs: { x: { shape: [3, 5] } },
    build: ({ x }) => op(x, x),
    reference: ({ x }) => x.map(f),
  });
  await checkGradient(
    device,
    one(mul, (x) => x * x),
  );
  await checkGradient(
    device,
    one(add, (x) => 2 * x),
  );
  const { gradients } = await runCase(
    device,
    one(sub, () => 0),
  );
  close(gradients.x, new Float64Array(15), 0, 'd(x − x)');
});

binarySuite('a tensor read by three ops receives the sum of their gradients', () =>
  checkGradient(device, {
    inputs: { x: { shape: [7, 3] }, w: { shape: [7, 3] } },
    build: ({ x, w }) => add(mul(sigmoid(x), w), sub(mul(x, w), tanh(x))),
    reference: ({ x, w }) => x.map((v, i) => w[i] / (1 + Math.exp(-v)) + v * w[i] - Math.tanh(v)),
  }),
);

binarySuite('an operand that needs no gradient gets none', async () => {
  const data = Float32Array.from(numbers(5)([6]));
  const { gradients } = await runCase(device, {
    inputs: { x: { shape: [6] } },
    build: ({ x }, tape) => mul(tape.constant('c', [6], data), x),
    reference: ({ x }) => x,
  });
  assert.equal(Object.keys(gradients), ['x']);
});

binarySuite('says which shapes disagree', () => {
  const tape = new Tape({ training: true });
  const [a, b] = [tape.input('a', [4, 5]), tape.input('b', [5, 4])];
  assert.throws(
    () => mul(a, b),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'mul: a [4,5] and b [5,4] disagree; b may be [4,5], [1], [5], [4,1]',
  );
});

// The device is shared by both suites, which run one after the other.
binarySuite.after(() => device.destroy());
binarySuite.run();
