import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, fieldLinear } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const maps = suite('field_linear');
maps.after(() => device.destroy());

// single numbers; ragged; whole vec4s; several splits of the batch, ragged and not
for (const [batch, fields, inner, outer] of [
  [1, 1, 1, 1],
  [3, 2, 5, 7],
  [2, 7, 8, 3],
  [300, 3, 4, 2],
  [257, 2, 3, 3],
  [261, 2, 12, 17],
]) {
  const one: OpCase = {
    inputs: { x: { shape: [batch, fields, inner] }, w: { shape: [fields, outer, inner] } },
    build: ({ x, w }) => fieldLinear(x, w),
    reference: ({ x, w }) =>
      Float64Array.from({ length: batch * fields * outer }, (_, at) => {
        const [n, o] = [Math.floor(at / outer), at % outer];
        let sum = 0;
        for (let i = 0; i < inner; i++) sum += x[n * inner + i] * w[((n % fields) * outer + o) * inner + i];
        return sum;
      }),
  };
  const name = `of [${batch},${fields},${inner}] to ${outer}`;
  maps(`${name} maps each field by its own matrix`, async () => {
    assert.equal((await runCase(device, one)).shape, [batch, fields, outer]);
    await checkForward(device, one);
  });
  maps(`${name} has the gradients of the formula`, () => checkGradient(device, one));
}

maps('says what does not fit', () => {
  const tape = new Tape({ training: true });
  assert.throws(
    () => fieldLinear(tape.input('x', [5, 3, 4]), tape.input('w', [2, 6, 4])),
    (error: Error) =>
      error instanceof ShapeError &&
      error.message === 'field_linear: x [5,3,4] and w [2,6,4] disagree: 3 fields of 4 against 2 maps of 4',
  );
});

maps.run();
