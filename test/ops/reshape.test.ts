import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, mul, reshape, scale, sum, tanh } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const reshapeSuite = suite('reshape');
reshapeSuite.after(() => device.destroy());

for (const [from, to] of [
  [[1], [1, 1]],
  [
    [2, 3, 5],
    [2, 15],
  ],
  [[30], [5, 2, 3]],
  [
    [7, 40],
    [280, 1],
  ],
]) {
  const one: OpCase = {
    inputs: { x: { shape: from } },
    build: ({ x }) => reshape(tanh(x), to),
    reference: ({ x }) => x.map(Math.tanh),
  };
  reshapeSuite(`[${from}] → [${to}] keeps the elements`, async () => {
    assert.equal((await runCase(device, one)).shape, to);
    await checkForward(device, one);
  });
  reshapeSuite(`[${from}] → [${to}] hands the gradient back`, () => checkGradient(device, one));
}

reshapeSuite('of an input itself is that input', async () => {
  const { x, y } = await runCase(device, {
    inputs: { x: { shape: [2, 3] } },
    build: ({ x }) => reshape(x, [6]),
    reference: ({ x }) => x,
  });
  assert.equal([...y], [...x.x]);
});

reshapeSuite('chains of views share memory and sum the gradients of all their readers', () =>
  checkGradient(device, {
    inputs: { x: { shape: [4, 6] } },
    build({ x }) {
      const flat = reshape(reshape(x, [2, 12]), [24]);
      return mul(
        sum(reshape(mul(flat, reshape(x, [24])), [8, 3]), 1),
        scale(sum(reshape(flat, [8, 3]), 1), 2),
      );
    },
    reference({ x }) {
      const thirds = Array.from({ length: 8 }, (_, i) => [...x.slice(3 * i, 3 * i + 3)]);
      const total = (row: number[]) => row.reduce((a, b) => a + b, 0);
      return thirds.map((row) => total(row.map((v) => v * v)) * 2 * total(row));
    },
  }),
);

reshapeSuite('runs no kernel', () => {
  const tape = new Tape({ training: true });
  const x = tape.input('x', [2, 3]);
  const y = reshape(x, [3, 2]);
  assert.is(tape.forward.length, 0);
  assert.is(y.alias, x);
});

reshapeSuite('says which sizes disagree', () => {
  const x = new Tape({ training: true }).input('x', [2, 3]);
  assert.throws(
    () => reshape(x, [7]),
    (error: Error) => error instanceof ShapeError && error.message === 'reshape: [2,3] has 6 elements, [7] 7',
  );
});

reshapeSuite.run();
