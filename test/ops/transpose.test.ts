import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, transpose } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const transposeSuite = suite('transpose');
transposeSuite.after(() => device.destroy());

// ragged; whole vec4s; beyond a workgroup of both
for (const shape of [
  [1, 1],
  [3, 5],
  [1, 8],
  [67, 5],
  [4, 8],
  [12, 4],
  [36, 100],
  [2, 3, 5],
  [3, 4, 8],
  [1, 7, 1],
  [5, 20, 31],
]) {
  const [rows, cols] = shape.slice(-2);
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => transpose(x),
    reference({ x }) {
      const y = new Float64Array(x.length);
      for (let b = 0; b < x.length / (rows * cols); b++) {
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < cols; j++) y[(b * cols + j) * rows + i] = x[(b * rows + i) * cols + j];
        }
      }
      return y;
    },
  };
  transposeSuite(`of [${shape}] swaps the last two axes`, async () => {
    assert.equal((await runCase(device, one)).shape, [...shape.slice(0, -2), cols, rows]);
    await checkForward(device, { ...one, tolerance: 0 });
  });
  transposeSuite(`of [${shape}] hands the gradient back transposed`, () => checkGradient(device, one));
}

transposeSuite('says which ranks it takes', () => {
  const x = new Tape({ training: true }).input('x', [3]);
  assert.throws(
    () => transpose(x),
    (error: Error) =>
      error instanceof ShapeError && error.message === 'transpose: x [3] has 1 axes, but 2 or 3 are needed',
  );
});

transposeSuite.run();
