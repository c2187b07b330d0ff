import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, gruCell } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const gru = suite('gru_cell');
gru.after(() => device.destroy());

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function reference(gi: Float64Array, gh: Float64Array, h: Float64Array, width: number): Float64Array {
  return h.map((state, i) => {
    const at = 3 * (i - (i % width)) + (i % width);
    const reset = sigmoid(gi[at] + gh[at]);
    const update = sigmoid(gi[at + width] + gh[at + width]);
    const candidate = Math.tanh(gi[at + 2 * width] + reset * gh[at + 2 * width]);
    return (1 - update) * candidate + update * state;
  });
}

for (const [rows, width] of [
  [1, 1],
  [3, 5],
  [2, 8],
  [131, 4],
  [70, 3],
]) {
  const one: OpCase = {
    inputs: {
      gi: { shape: [rows, 3 * width] },
      gh: { shape: [rows, 3 * width] },
      h: { shape: [rows, width] },
    },
    build: ({ gi, gh, h }) => gruCell(gi, gh, h),
    reference: ({ gi, gh, h }) => reference(gi, gh, h, width),
  };
  gru(`of [${rows},${width}] gives the next state`, async () => {
    assert.equal((await runCase(device, one)).shape, [rows, width]);
    await checkForward(device, one);
  });
  gru(`of [${rows},${width}] has the gradients of the formula`, () => checkGradient(device, one));
}

gru('saturates without overflow', () =>
  checkForward(device, {
    inputs: {
      gi: { shape: [2, 3], data: [900, -900, 900, -900, 900, 0] },
      gh: { shape: [2, 3], data: [0, 0, 0, 0, 0, 900] },
      h: { shape: [2, 1], data: [5, 7] },
    },
    build: ({ gi, gh, h }) => gruCell(gi, gh, h),
    reference: () => [1, 7],
  }),
);

gru('says what does not fit', () => {
  const tape = new Tape({ training: true });
  const [gi, gh] = [tape.input('gi', [5, 9]), tape.input('gh', [5, 6])];
  assert.throws(
    () => gruCell(gi, gh, tape.input('h', [5, 3])),
    (error: Error) =>
      error instanceof ShapeError && error.message === 'gru_cell: h [5,3] needs gh [5,9], but it is [5,6]',
  );
});

gru.run();
