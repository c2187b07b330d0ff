import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, crossVector } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const crossSuite = suite('cross_vector');
crossSuite.after(() => device.destroy());

/** a · (x·w) + b + x, element by element. */
function reference(a: Float64Array, x: Float64Array, w: Float64Array, b: Float64Array): Float64Array {
  const cols = w.length;
  return x.map((value, i) => {
    const first = i - (i % cols);
    const product = w.reduce((sum, weight, j) => sum + weight * x[first + j], 0);
    return a[i] * product + b[i % cols] + value;
  });
}

for (const shape of [
  [1, 1],
  [3, 5],
  [67, 8],
  [130, 13],
  [300, 112],
] as const) {
  const vector = { shape: [shape[1]] };
  const one: OpCase = {
    inputs: { a: { shape }, x: { shape }, w: vector, b: vector },
    build: ({ a, x, w, b }) => crossVector(a, x, w, b),
    reference: ({ a, x, w, b }) => reference(a, x, w, b),
  };
  crossSuite(`of [${shape}] is a · (x·w) + b + x`, async () => {
    assert.equal((await runCase(device, one)).shape, shape);
    await checkForward(device, one);
  });
  crossSuite(`of [${shape}] has the gradient of that formula`, () => checkGradient(device, one));
}

const twice: OpCase = {
  inputs: { x: { shape: [5, 12] }, w: { shape: [12] }, b: { shape: [12] } },
  build: ({ x, w, b }) => crossVector(x, x, w, b),
  reference: ({ x, w, b }) => reference(x, x, w, b),
};

crossSuite('takes one tensor as both, as the first layer of a network does', async () => {
  await checkForward(device, twice);
  await checkGradient(device, twice);
});

crossSuite('says which shapes disagree', () => {
  const tape = new Tape({ training: true });
  const [x, w, wide] = [tape.input('x', [3, 4]), tape.input('w', [4]), tape.input('wide', [5])];
  const throws = (act: () => unknown, message: string) =>
    assert.throws(act, (error: Error) => error instanceof ShapeError && error.message === message);
  throws(() => crossVector(tape.input('a', [3, 5]), x, w, w), 'cross_vector: a [3,5] and x [3,4] disagree');
  throws(() => crossVector(x, x, wide, w), 'cross_vector: x [3,4] needs w [4], but it is [5]');
  throws(() => crossVector(x, x, w, wide), 'cross_vector: x [3,4] needs b [4], but it is [5]');
});

crossSuite.run();
