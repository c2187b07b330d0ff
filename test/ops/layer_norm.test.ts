import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { layerNorm } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const layerNormSuite = suite('layerNorm');
layerNormSuite.after(() => device.destroy());

function reference(x: Float64Array, cols: number): number[] {
  const rows = Array.from({ length: x.length / cols }, (_, row) => [
    ...x.slice(row * cols, (row + 1) * cols),
  ]);
  return rows.flatMap((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / cols;
    const variance = row.reduce((sum, value) => sum + value * value, 0) / cols - mean * mean;
    return row.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  });
}

for (const shape of [[5], [3, 5], [2, 3, 4], [131, 6], [7, 2, 3, 8]]) {
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => layerNorm(x),
    reference: ({ x }) => reference(x, shape[shape.length - 1]),
  };
  layerNormSuite(`of [${shape}] keeps the shape and normalises the last axis`, async () => {
    assert.equal((await runCase(device, one)).shape, shape);
    await checkForward(device, one);
  });
  layerNormSuite(`of [${shape}] has the gradient of the formula`, () => checkGradient(device, one));
}

layerNormSuite(
  'gives zeros where all of a row is the same, and no digits away where it is large',
  async () => {
    const one = (data: number[]): OpCase => ({
      inputs: { x: { shape: [1, data.length], data } },
      build: ({ x }) => layerNorm(x),
      reference: () =>
        reference(
          Float64Array.from(data, (value) => value - data[0]),
          data.length,
        ),
    });
    await checkForward(device, one([3, 3, 3]));
    await checkForward(device, one([1000, 1001, 1003, 999]));
  },
);

layerNormSuite.run();
