import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { add, detach, mul } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, runCase, type OpCase } from '../support/gradcheck.js';
import { close } from '../support/close.js';

const device = await testDevice();
const detachSuite = suite('detach');
detachSuite.after(() => device.destroy());

const one: OpCase = {
  inputs: { x: { shape: [3, 5] }, w: { shape: [3, 5] } },
  build: ({ x, w }) => mul(detach(mul(x, x)), w),
  reference: ({ x, w }) => x.map((value, i) => value * value * w[i]),
};

detachSuite('gives the same elements', () => checkForward(device, one));

detachSuite('gives no gradient to what lies before it, and lets the others have theirs', async () => {
  const { x, dy, gradients } = await runCase(device, one);
  assert.equal(Object.keys(gradients), ['w']);
  close(
    gradients.w,
    dy.map((g, i) => g * x.x[i] ** 2),
    1e-5,
    'dw',
  );
});

detachSuite('leaves a tensor that is also read without it the gradient of that', async () => {
  const { dy, gradients } = await runCase(device, {
    ...one,
    build: ({ x, w }) => add(add(detach(x), x), w),
  });
  assert.equal(Array.from(gradients.x), Array.from(Float32Array.from(dy)));
});

detachSuite.run();
