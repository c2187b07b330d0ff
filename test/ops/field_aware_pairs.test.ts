import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, fieldAwarePairs } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const pairs = suite('field_aware_pairs');
pairs.after(() => device.destroy());

function reference(v: Float64Array, batch: number, fields: number, dim: number): number[] {
  const at = (b: number, f: number, i: number, d: number) => v[((b * fields + f) * fields + i) * dim + d];
  return Array.from({ length: batch * dim }, (_, n) => {
    const [b, d] = [Math.floor(n / dim), n % dim];
    let sum = 0;
    for (let i = 0; i < fields; i++) {
      for (let j = i + 1; j < fields; j++) sum += at(b, j, i, d) * at(b, i, j, d);
    }
    return sum;
  });
}

for (const [batch, fields, dim] of [
  [1, 1, 1],
  [3, 5, 7],
  [2, 4, 8],
  [70, 3, 4],
  [67, 2, 3],
]) {
  const one: OpCase = {
    inputs: { v: { shape: [batch, fields, fields, dim] } },
    build: ({ v }) => fieldAwarePairs(v),
    reference: ({ v }) => reference(v, batch, fields, dim),
  };
  pairs(`of [${batch},${fields},${fields},${dim}] sums the products of every pair`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, dim]);
    await checkForward(device, one);
  });
  pairs(`of [${batch},${fields},${fields},${dim}] has the gradient of the double loop`, () =>
    checkGradient(device, one),
  );
}

pairs('say which shape they take', () => {
  const v = new Tape({ training: true }).input('v', [5, 2, 3, 4]);
  assert.throws(
    () => fieldAwarePairs(v),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'field_aware_pairs: v [5,2,3,4] disagrees with itself: 2 fields against 3 features',
  );
});

pairs.run();
