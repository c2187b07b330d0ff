import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, cin } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const cinSuite = suite('cin');
cinSuite.after(() => device.destroy());

interface Sizes {
  readonly rows: number;
  /** Channels of x, and how many of them the weights read. */
  readonly channels: number;
  readonly hidden: number;
  readonly fields: number;
  readonly dim: number;
  readonly outputs: number;
}

/** The outer product of all channels, then a weighted sum over it. */
function reference(x: Readonly<Record<string, Float64Array>>, s: Sizes): Float64Array {
  const y = new Float64Array(s.rows * s.outputs * s.dim);
  for (let i = 0; i < y.length; i++) {
    const [d, o, r] = [i % s.dim, Math.floor(i / s.dim) % s.outputs, Math.floor(i / s.dim / s.outputs)];
    y[i] = x.b[o];
    for (let h = 0; h < s.hidden; h++) {
      for (let m = 0; m < s.fields; m++) {
        const outer = x.x[(r * s.channels + h) * s.dim + d] * x.e[(r * s.fields + m) * s.dim + d];
        y[i] += x.w[(o * s.hidden + h) * s.fields + m] * outer;
      }
    }
  }
  return y;
}

function caseOf(s: Sizes): OpCase {
  return {
    inputs: {
      x: { shape: [s.rows, s.channels, s.dim] },
      e: { shape: [s.rows, s.fields, s.dim] },
      w: { shape: [s.outputs, s.hidden * s.fields, 1] },
      b: { shape: [s.outputs] },
    },
    build: ({ x, e, w, b }) => cin(x, e, w, b),
    reference: (x) => reference(x, s),
  };
}

for (const [rows, channels, hidden, fields, dim, outputs] of [
  [1, 1, 1, 1, 1, 1],
  [3, 4, 4, 5, 4, 4],
  [5, 3, 3, 3, 6, 7],
  [2, 6, 3, 7, 8, 9],
  [57, 3, 2, 2, 10, 5],
  [131, 2, 2, 3, 3, 3],
  [65, 5, 2, 3, 16, 6],
  [3, 2, 2, 4, 12, 5],
  [150, 5, 3, 3, 16, 9],
]) {
  const s = { rows, channels, hidden, fields, dim, outputs };
  const one = caseOf(s);
  const what = `${hidden} of [${rows},${channels},${dim}] and [${rows},${fields},${dim}] to ${outputs}`;
  cinSuite(`${what} is the weighted outer product`, async () => {
    assert.equal((await runCase(device, one)).shape, [rows, outputs, dim]);
    await checkForward(device, one);
  });
  cinSuite(`${what} has the gradient of the formula`, () => checkGradient(device, one));
}

cinSuite('takes the same tensor twice', () => {
  const s = { rows: 7, channels: 3, hidden: 3, fields: 3, dim: 5, outputs: 2 };
  const { inputs } = caseOf(s);
  return checkGradient(device, {
    inputs: { e: inputs.e, w: inputs.w, b: inputs.b },
    build: ({ e, w, b }) => cin(e, e, w, b),
    reference: (x) => reference({ ...x, x: x.e }, s),
  });
});

cinSuite('says what does not fit', () => {
  const tape = new Tape({ training: true });
  const [x, e, b] = [tape.input('x', [4, 3, 5]), tape.input('e', [4, 2, 5]), tape.input('b', [6])];
  const cases = [
    [
      tape.input('e2', [4, 2, 6]),
      [6, 6, 1],
      b,
      /x \[4,3,5\] and e \[4,2,6\] disagree; only axis 1 may differ/,
    ],
    [
      e,
      [6, 8, 1],
      b,
      /w \[6,8,1\] does not fit x \[4,3,5\] and e \[4,2,5\]; w must be \[O,N,1\], N a multiple of 2 up to 6/,
    ],
    [e, [6, 5, 1], b, /w \[6,5,1\] does not fit/],
    [e, [7, 6, 1], b, /w \[7,6,1\] needs a bias \[7\], but b is \[6\]/],
  ] as const;
  cases.forEach(([e, w, b, message], i) => {
    assert.throws(
      () => cin(x, e, tape.input(`w${i}`, w), b),
      (error: Error) => error instanceof ShapeError && message.test(error.message),
    );
  });
});

cinSuite.run();
