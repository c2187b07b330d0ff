import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, linear } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, type OpCase } from '../support/gradcheck.js';

const linearSuite = suite('linear');
const device = await testDevice();
linearSuite.after(() => device.destroy());

function reference(x: Float64Array, w: Float64Array, b: Float64Array | undefined, sizes: readonly number[]) {
  const [rows, inner, cols] = sizes;
  const y = new Float64Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      let sum = b?.[c] ?? 0;
      for (let k = 0; k < inner; k++) sum += x[r * inner + k] * w[c * inner + k];
      y[r * cols + c] = sum;
    }
  }
  return y;
}

function caseOf(rows: number, inner: number, cols: number, bias: boolean): OpCase {
  const inputs = { x: { shape: [rows, inner] }, w: { shape: [cols, inner] } };
  return {
    inputs: bias ? { ...inputs, b: { shape: [cols] } } : inputs,
    build: ({ x, w, b }) => linear(x, w, b),
    reference: ({ x, w, b }) => reference(x, w, b, [rows, inner, cols]),
  };
}

// one element; inner 1; no multiple of four; whole vec4s with ragged tiles; half a panel; more rows than a workgroup
// takes, and more columns; a dw split over rows, unevenly
for (const [rows, inner, cols] of [
  [1, 1, 1],
  [1, 5, 1],
  [1, 13, 65],
  [5, 1, 9],
  [65, 3, 1],
  [57, 13, 65],
  [13, 65, 57],
  [6, 20, 36],
  [257, 4, 3],
  [513, 5, 33],
  [600, 9, 260],
  [3, 5, 7],
  [5, 6, 13],
  [6, 8, 12],
  [7, 12, 5],
  [9, 4, 1],
  [300, 16, 20],
  [1100, 7, 3],
  [1100, 12, 8],
]) {
  for (const bias of [true, false]) {
    const name = `[${rows},${inner}]·[${cols},${inner}]ᵀ ${bias ? 'with' : 'without'} bias`;
    linearSuite(`${name} is the triple loop`, () => checkForward(device, caseOf(rows, inner, cols, bias)));
    linearSuite(`${name} has the gradients of the triple loop`, () =>
      checkGradient(device, caseOf(rows, inner, cols, bias)),
    );
  }
}

linearSuite('says which widths disagree', () => {
  const tape = new Tape({ training: true });
  const [x, w, b] = [tape.input('x', [4, 208]), tape.input('w', [400, 200]), tape.input('b', [3])];
  assert.throws(
    () => linear(x, w),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'linear: x [4,208] and w [400,200] disagree: 208 columns against 200',
  );
  assert.throws(
    () => linear(tape.input('x1', [4, 200]), w, b),
    /linear: w \[400,200\] needs a bias \[400\], but b is \[3\]/,
  );
  assert.throws(() => linear(tape.input('x2', [4]), w), /linear: x: has shape \[4\], but 2 axes are needed/);
});

linearSuite.run();
