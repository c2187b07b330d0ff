import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, Tape, complexExp, complexLog, complexUnit, type Tensor } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const complexSuite = suite('complexUnit, complexLog, complexExp');
complexSuite.after(() => device.destroy());

/** [B,N] of pairs (or of numbers) → [B,2,N]. */
const parts = (rows: readonly (readonly (readonly [number, number])[])[]) =>
  rows.flatMap((row) => [...row.map(([re]) => re), ...row.map(([, im]) => im)]);

const rowsOf = (x: Float64Array, batch: number) =>
  Array.from({ length: batch }, (_, b) => [...x.slice((b * x.length) / batch, ((b + 1) * x.length) / batch)]);

/** A function of pairs on [B,2,..]. */
const onPairs =
  (f: (re: number, im: number) => [number, number]) =>
  (x: Float64Array, batch: number): number[] =>
    parts(
      rowsOf(x, batch).map((row) => {
        const half = row.length / 2;
        return row.slice(0, half).map((re, i) => f(re, row[half + i]));
      }),
    );

const ops: Record<
  string,
  { op(x: Tensor): Tensor; pairs: boolean; f(x: Float64Array, batch: number): number[] }
> = {
  complexUnit: {
    op: complexUnit,
    pairs: false,
    f: (x, batch) => parts(rowsOf(x, batch).map((row) => row.map((v) => [Math.cos(v), Math.sin(v)]))),
  },
  complexLog: {
    op: complexLog,
    pairs: true,
    f: onPairs((re, im) => [0.5 * Math.log(re * re + im * im + 1e-8), Math.atan2(im, re)]),
  },
  complexExp: {
    op: complexExp,
    pairs: true,
    f: onPairs((re, im) => [Math.exp(re) * Math.cos(im), Math.exp(re) * Math.sin(im)]),
  },
};

for (const [name, { op, pairs, f }] of Object.entries(ops)) {
  for (const [batch, ...rest] of [
    [1, 1],
    [3, 5],
    [2, 3, 4],
    [67, 2, 3],
  ]) {
    const shape = pairs ? [batch, 2, ...rest] : [batch, ...rest];
    const one: OpCase = {
      inputs: { x: { shape } },
      build: ({ x }) => op(x),
      reference: ({ x }) => f(x, batch),
      tolerance: 1e-6,
    };
    complexSuite(`${name} of [${shape}] is the formula`, async () => {
      assert.equal((await runCase(device, one)).shape, [batch, 2, ...rest]);
      await checkForward(device, one);
    });
    complexSuite(`${name} of [${shape}] has the gradient of the formula`, () => checkGradient(device, one));
  }
}

complexSuite('angles of any size turn as they should', () => {
  const data = Array.from({ length: 4001 }, (_, i) => (i - 2000) / 16);
  return checkForward(device, {
    inputs: { x: { shape: [1, data.length], data } },
    build: ({ x }) => complexUnit(x),
    reference: ({ x }) => ops.complexUnit.f(x, 1),
    tolerance: 1e-6,
  });
});

const around = Array.from({ length: 721 }, (_, i) => (i * Math.PI) / 360);
const directions = [1e-10, 1e-3, 1, 1e5].flatMap((length) =>
  around.map((a): [number, number] => [length * Math.cos(a), length * Math.sin(a)]),
);
const axes: [number, number][] = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
  [0, 0],
  [-1, -0],
  [1, -0],
];

complexSuite('logarithms and angles are right in all directions and on the axes', () =>
  checkForward(device, {
    inputs: {
      x: { shape: [1, 2, directions.length + axes.length], data: parts([[...directions, ...axes]]) },
    },
    build: ({ x }) => complexLog(x),
    reference: ({ x }) => ops.complexLog.f(x, 1),
    tolerance: 1e-6,
  }),
);

complexSuite('at 0 the gradient is 0', async () => {
  const { gradients } = await runCase(device, {
    inputs: { x: { shape: [1, 2, 1], data: [0, 0] } },
    build: ({ x }) => complexLog(x),
    reference: ({ x }) => x,
  });
  assert.equal([...gradients.x].map(Math.abs), [0, 0]);
});

complexSuite('says where the parts must be', () => {
  const x = new Tape({ training: true }).input('x', [4, 3, 2]);
  const wanted = 'x [4,3,2] has no parts; real and imaginary are axis 1, of size 2';
  for (const [name, op] of [
    ['complex_log', complexLog],
    ['complex_exp', complexExp],
  ] as const) {
    assert.throws(
      () => op(x),
      (error: Error) => error instanceof ShapeError && error.message === `${name}: ${wanted}`,
    );
  }
});

complexSuite.run();
