import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, bmm } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const bmmSuite = suite('bmm');
bmmSuite.after(() => device.destroy());

// single numbers; ragged; whole vec4s; one row; beyond a workgroup
for (const [batch, rows, inner, cols] of [
  [1, 1, 1, 1],
  [3, 2, 5, 7],
  [2, 7, 7, 8],
  [5, 1, 6, 4],
  [70, 3, 2, 5],
]) {
  const one: OpCase = {
    inputs: { a: { shape: [batch, rows, inner] }, c: { shape: [batch, inner, cols] } },
    build: ({ a, c }) => bmm(a, c),
    reference: ({ a, c }) =>
      Float64Array.from({ length: batch * rows * cols }, (_, at) => {
        const [n, i, k] = [Math.floor(at / (rows * cols)), Math.floor(at / cols) % rows, at % cols];
        let sum = 0;
        for (let j = 0; j < inner; j++) sum += a[(n * rows + i) * inner + j] * c[(n * inner + j) * cols + k];
        return sum;
      }),
  };
  const name = `of [${batch},${rows},${inner}] and [${batch},${inner},${cols}]`;
  bmmSuite(`${name} multiplies every pair`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, rows, cols]);
    await checkForward(device, one);
  });
  bmmSuite(`${name} has the gradients of the formula`, () => checkGradient(device, one));
}

bmmSuite('says what does not fit', () => {
  const tape = new Tape({ training: true });
  assert.throws(
    () => bmm(tape.input('a', [2, 3, 4]), tape.input('c', [2, 5, 6])),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'bmm: a [2,3,4] and c [2,5,6] disagree: 2 of 4 columns against 2 of 5 rows',
  );
});

bmmSuite.run();
