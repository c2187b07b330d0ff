import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, add, l2Norm, scale, sum } from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const normSuite = suite('l2_norm');
normSuite.after(() => device.destroy());

const caseOf = (shapes: readonly number[][]): OpCase => {
  const names = shapes.map((_, i) => `w${i}`);
  return {
    inputs: Object.fromEntries(names.map((name, i) => [name, { shape: shapes[i] }])),
    build: (t) => l2Norm(names.map((name) => t[name])),
    reference: (w) => [names.reduce((total, name) => total + Math.hypot(...w[name]), 0)],
    tolerance: 1e-6,
  };
};

// one element, a tail of one to three, more quads than parts, small beside large
for (const shapes of [[[1]], [[3, 5]], [[2, 3], [4, 1], [1]], [[7, 131]], [[201, 203], [3]]]) {
  const what = shapes.map((shape) => `[${shape}]`).join(' + ');
  normSuite(`of ${what} is one number, the sum of the norms`, async () => {
    assert.equal((await runCase(device, caseOf(shapes))).shape, [1]);
    await checkForward(device, caseOf(shapes));
  });
  normSuite(`of ${what} has the gradient w / ‖w‖`, () => checkGradient(device, caseOf(shapes)));
}

normSuite('has gradient 0 at 0', async () => {
  const { y, gradients } = await runCase(device, {
    inputs: { w: { shape: [3], data: [0, 0, 0] }, v: { shape: [2], data: [3, 4] } },
    build: ({ w, v }) => l2Norm([w, v]),
    reference: () => [5],
  });
  close(y, [5], 1e-6);
  close(gradients.w, [0, 0, 0], 0);
});

normSuite('a weight that is used elsewhere too receives both gradients', () =>
  checkGradient(device, {
    inputs: { w: { shape: [5] } },
    build: ({ w }) => add(scale(l2Norm([w]), 2), sum(w)),
    reference: ({ w }) => [2 * Math.hypot(...w) + w.reduce((a, b) => a + b, 0)],
  }),
);

normSuite('says that nothing was given', () => {
  assert.throws(
    () => l2Norm([]),
    (error: Error) => error instanceof ShapeError && error.message === 'l2_norm: no tensors were given',
  );
});

normSuite.run();
