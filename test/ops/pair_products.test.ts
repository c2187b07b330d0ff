import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, pairProducts } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const pairs = suite('pair_products');
pairs.after(() => device.destroy());

function reference(e: Float64Array, batch: number, fields: number, dim: number): number[] {
  const y: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < fields; i++) {
      for (let j = i + 1; j < fields; j++) {
        for (let d = 0; d < dim; d++) y.push(e[(b * fields + i) * dim + d] * e[(b * fields + j) * dim + d]);
      }
    }
  }
  return y;
}

for (const [batch, fields, dim] of [
  [1, 2, 1],
  [3, 7, 5],
  [2, 4, 8],
  [70, 3, 4],
  [67, 5, 3],
]) {
  const one: OpCase = {
    inputs: { e: { shape: [batch, fields, dim] } },
    build: ({ e }) => pairProducts(e),
    reference: ({ e }) => reference(e, batch, fields, dim),
  };
  pairs(`of [${batch},${fields},${dim}] multiplies the fields of every pair`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, (fields * (fields - 1)) / 2, dim]);
    await checkForward(device, one);
  });
  pairs(`of [${batch},${fields},${dim}] has the gradient of the double loop`, () =>
    checkGradient(device, one),
  );
}

pairs('need two fields', () => {
  const e = new Tape({ training: true }).input('e', [5, 1, 4]);
  assert.throws(
    () => pairProducts(e),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'pair_products: e [5,1,4] has 1 field, but pairs need 2 or more',
  );
});

pairs.run();
