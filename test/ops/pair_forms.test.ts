import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, pairForms } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const formsSuite = suite('pair_forms');
formsSuite.after(() => device.destroy());

/** vᵢᵀ Kᵀ vⱼ of every pair, element by element. */
function reference(e: Float64Array, k: Float64Array, shape: readonly number[]): number[] {
  const [batch, fields, dim] = shape;
  const pairs = (fields * (fields - 1)) / 2;
  const at = (b: number, f: number, d: number) => e[(b * fields + f) * dim + d];
  const y: number[] = [];
  for (let b = 0; b < batch; b++) {
    let pair = 0;
    for (let i = 0; i < fields; i++) {
      for (let j = i + 1; j < fields; j++, pair++) {
        let total = 0;
        for (let o = 0; o < dim; o++) {
          for (let c = 0; c < dim; c++) total += at(b, j, o) * k[(o * pairs + pair) * dim + c] * at(b, i, c);
        }
        y.push(total);
      }
    }
  }
  return y;
}

for (const shape of [
  [1, 2, 1],
  [3, 4, 5],
  [70, 3, 8],
  [300, 5, 6],
] as const) {
  const [batch, fields, dim] = shape;
  const pairs = (fields * (fields - 1)) / 2;
  const one: OpCase = {
    inputs: { e: { shape }, k: { shape: [dim, pairs, dim] } },
    build: ({ e, k }) => pairForms(e, k),
    reference: ({ e, k }) => reference(e, k, shape),
  };
  formsSuite(`of [${shape}] is the sum over both fields`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, pairs]);
    await checkForward(device, one);
  });
  formsSuite(`of [${shape}] has the gradient of that sum`, () => checkGradient(device, one));
}

formsSuite('says which shapes it takes', () => {
  const tape = new Tape({ training: true });
  const throws = (act: () => unknown, message: string) =>
    assert.throws(act, (error: Error) => error instanceof ShapeError && error.message === message);
  const e = tape.input('e', [2, 3, 4]);
  throws(
    () => pairForms(e, tape.input('k', [4, 4, 4])),
    'pair_forms: e [2,3,4] needs k [4,3,4], but it is [4,4,4]',
  );
  const single = tape.input('single', [2, 1, 4]);
  throws(() => pairForms(single, e), 'pair_forms: e [2,1,4] has 1 field, but pairs need 2 or more');
});

formsSuite.run();
