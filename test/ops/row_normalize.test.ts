import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, rowNormalize } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const normalizeSuite = suite('row_normalize');
normalizeSuite.after(() => device.destroy());

/** x / ‖x‖, row by row. */
const reference = (x: Float64Array, cols: number) =>
  x.map((value, i) => {
    const first = i - (i % cols);
    return value / Math.max(Math.hypot(...x.slice(first, first + cols)), 1e-8);
  });

for (const shape of [
  [1, 1],
  [3, 5],
  [67, 8],
  [300, 13],
] as const) {
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => rowNormalize(x),
    reference: ({ x }) => reference(x, shape[1]),
  };
  normalizeSuite(`of [${shape}] has rows of length 1`, async () => {
    assert.equal((await runCase(device, one)).shape, shape);
    await checkForward(device, one);
  });
  // The sign of a single number has no slope.
  if (shape[1] > 1) {
    normalizeSuite(`of [${shape}] has the gradient across each row`, () => checkGradient(device, one));
  }
}

for (const cols of [3, 4]) {
  normalizeSuite(`of zeros [2,${cols}] is zero and has a finite gradient`, async () => {
    const { y, dy, gradients } = await runCase(device, {
      inputs: { x: { shape: [2, cols], data: new Array(2 * cols).fill(0) } },
      build: ({ x }) => rowNormalize(x),
      reference: ({ x }) => x,
    });
    assert.equal([...y], new Array(2 * cols).fill(0));
    gradients.x.forEach((dx, i) => assert.ok(Math.abs(dx / (1e8 * dy[i]) - 1) < 1e-6, `dx[${i}] is ${dx}`));
  });
}

normalizeSuite('takes rows only', () => {
  const x = new Tape({ training: true }).input('x', [2, 3, 4]);
  assert.throws(
    () => rowNormalize(x),
    (error: Error) => error instanceof ShapeError && /^row_normalize: x/.test(error.message),
  );
});

normalizeSuite.run();
