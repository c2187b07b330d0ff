import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, resize } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const resizeSuite = suite('resize');
resizeSuite.after(() => device.destroy());

for (const [shape, width] of [
  [[1], 3],
  [[3, 5], 8],
  [[3, 8], 5],
  [[2, 3, 4], 1],
  [[70, 3, 6], 8],
] as [number[], number][]) {
  const before = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce((product, axis) => product * axis, 1);
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => resize(x, width),
    reference: ({ x }) =>
      Array.from({ length: rows }, (_, row) =>
        Array.from({ length: width }, (_, j) => (j < before ? x[row * before + j] : 0)),
      ).flat(),
  };
  resizeSuite(`[${shape}] to ${width} keeps what both have`, async () => {
    assert.equal((await runCase(device, one)).shape, [...shape.slice(0, -1), width]);
    await checkForward(device, one);
  });
  resizeSuite(`[${shape}] to ${width} has the gradient of the formula`, () => checkGradient(device, one));
}

resizeSuite('is nothing at the same width, and wants one', () => {
  const x = new Tape({ training: true }).input('x', [3, 4]);
  assert.is(resize(x, 4), x);
  assert.throws(
    () => resize(x, 0),
    (error: Error) => error instanceof ShapeError && /resize: the width is 0/.test(error.message),
  );
});

resizeSuite.run();
