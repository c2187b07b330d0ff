import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { softmax } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const softmaxSuite = suite('softmax');
softmaxSuite.after(() => device.destroy());

function reference(x: Float64Array, cols: number): Float64Array {
  return x.map((value, i) => {
    const first = i - (i % cols);
    const row = x.slice(first, first + cols);
    return 1 / row.reduce((sum, other) => sum + Math.exp(other - value), 0);
  });
}

for (const shape of [[1], [5], [3, 5], [1, 7], [2, 3, 4], [70, 1], [131, 6]]) {
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => softmax(x),
    reference: ({ x }) => reference(x, shape[shape.length - 1]),
    tolerance: 1e-6,
  };
  softmaxSuite(`of [${shape}] keeps the shape and normalises the last axis`, async () => {
    assert.equal((await runCase(device, one)).shape, shape);
    await checkForward(device, one);
  });
  softmaxSuite(`of [${shape}] has the gradient of the formula`, () => checkGradient(device, one));
}

softmaxSuite('does not overflow, and gives nothing to what is far below', () =>
  checkForward(device, {
    inputs: { x: { shape: [3, 3], data: [1e4, 1e4, -1e4, -3e38, 0, 1, -3e4, -3e4, -3e4] } },
    build: ({ x }) => softmax(x),
    reference: ({ x }) => reference(x, 3),
    tolerance: 1e-6,
  }),
);

softmaxSuite.run();
