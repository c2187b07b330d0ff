import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ShapeError,
  Store,
  Tape,
  batchNorm,
  compile,
  ones,
  sum,
  zeros,
  type Tensor,
} from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';
import { numbers } from '../support/numbers.js';

const device = await testDevice();
const normSuite = suite('batch_norm');
normSuite.after(() => device.destroy());

const eps = 1e-5;
const column = (x: Float64Array, cols: number, c: number) => x.filter((_, i) => i % cols === c);
const meanOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
/** Σ (v − mean)² / (n − less). */
function varianceOf(values: Float64Array, less = 0): number {
  const mean = meanOf(values);
  return values.reduce((total, v) => total + (v - mean) ** 2, 0) / (values.length - less);
}

const running = (tape: Tape, cols: number) => ({
  runningMean: tape.state('running_mean', [cols], zeros),
  runningVar: tape.state('running_var', [cols], ones),
});

function caseOf(rows: number, cols: number, data?: readonly number[]): OpCase {
  return {
    inputs: { x: { shape: [rows, cols], data }, weight: { shape: [cols] }, bias: { shape: [cols] } },
    build: ({ x, weight, bias }, tape) => batchNorm(x, weight, bias, running(tape, cols)),
    reference({ x, weight, bias }) {
      const columns = Array.from({ length: cols }, (_, c) => column(x, cols, c));
      const means = columns.map(meanOf);
      const scales = columns.map((values) => 1 / Math.sqrt(varianceOf(values) + eps));
      return x.map((v, i) => weight[i % cols] * (v - means[i % cols]) * scales[i % cols] + bias[i % cols]);
    },
  };
}

// ragged and whole vec4s of columns; one block of rows, several, a ragged last one; beyond a workgroup
for (const [rows, cols] of [
  [3, 1],
  [5, 3],
  [7, 8],
  [33, 4],
  [70, 5],
  [300, 12],
  [40, 300],
]) {
  normSuite(`of [${rows},${cols}] keeps the shape and normalises each column`, async () => {
    assert.equal((await runCase(device, caseOf(rows, cols))).shape, [rows, cols]);
    await checkForward(device, caseOf(rows, cols));
  });
  normSuite(`of [${rows},${cols}] has the gradients of the formula`, () =>
    checkGradient(device, caseOf(rows, cols)),
  );
}

normSuite('of two rows is ±1', async () => {
  const { y } = await runCase(device, {
    inputs: { x: { shape: [2, 2], data: [3, 5, 1, 9] } },
    build: ({ x }, tape) =>
      batchNorm(
        x,
        tape.parameter('w', [2], { init: ones }),
        tape.parameter('b', [2], { init: zeros }),
        running(tape, 2),
      ),
    reference: () => [],
  });
  close(y, [1, -1, -1, 1], 1e-5);
});

/** Rows around means that are large beside the deviation, with a first row far out. */
function shifted(rows: number, means: readonly number[], std: number): number[] {
  const z = numbers(3)([rows, means.length]);
  return z.map((v, i) => means[i % means.length] + std * (i < means.length ? 40 : v));
}

normSuite('keeps its precision where the mean is much larger than the deviation', async () => {
  const one = caseOf(600, 4, shifted(600, [1e4, -3e5, 50, 0], 2));
  await checkForward(device, { ...one, tolerance: 1e-5 });
  await checkGradient(device, one);
});

normSuite('gives the bias where a column is constant', async () => {
  const data = Array.from({ length: 40 }, (_, i) => (i % 4 === 1 ? 1234.5678 : (i * 7919) % 13));
  const one = caseOf(10, 4, data);
  await checkForward(device, one);
});

/** Steps with one batch each; returns running mean and variance, and y of the last. */
async function train(batches: readonly Float32Array[], rows: number, cols: number, momentum?: number) {
  const tape = new Tape({ training: true });
  const store = new Store(device, 1);
  const x = tape.input('x', [rows, cols]);
  const [w, b] = [tape.parameter('w', [cols], { init: ones }), tape.parameter('b', [cols], { init: zeros })];
  const y = batchNorm(x, w, b, { ...running(tape, cols), momentum });
  const plan = await compile(device, store, { tape, loss: sum(y), keep: [y] });
  for (const batch of batches) {
    store.write('x', batch);
    plan.rewind();
    plan.run(1);
  }
  const { halted } = await plan.position();
  const read = async (name: string) => [...(await store.read(name))];
  const result = { halted, mean: await read('running_mean'), variance: await read('running_var') };
  plan.destroy();
  return { ...result, store };
}

for (const [rows, cols, momentum] of [
  [6, 3, undefined],
  [100, 8, 0.25],
] as const) {
  normSuite(`moves running statistics of [${rows},${cols}] as PyTorch does`, async () => {
    const random = numbers(9);
    const batches = [1, 2, 3].map((k) => Float32Array.from(random([rows, cols]), (v) => k * v + 10 * k));
    const { mean, variance, store } = await train(batches, rows, cols, momentum);
    const m = momentum ?? 0.1;
    const follow = (start: number, of: (values: Float64Array) => number, c: number) =>
      batches.reduce(
        (old, batch) => (1 - m) * old + m * of(column(Float64Array.from(batch), cols, c)),
        start,
      );
    const each = Array.from({ length: cols }, (_, c) => c);
    close(
      mean,
      each.map((c) => follow(0, meanOf, c)),
      1e-6,
      'running mean',
    );
    close(
      variance,
      each.map((c) => follow(1, (values) => varianceOf(values, 1), c)),
      1e-6,
      'running variance',
    );
    store.destroy();
  });
}

normSuite('leaves running statistics alone in a step whose loss is not finite', async () => {
  const good = Float32Array.from(numbers(2)([4, 4]));
  const bad = Float32Array.from(good);
  bad[5] = Number.NaN;
  const once = await train([good], 4, 4);
  const then = await train([good, bad, good], 4, 4);
  assert.is(then.halted, true);
  assert.equal([then.mean, then.variance], [once.mean, once.variance]);
  once.store.destroy();
  then.store.destroy();
});

normSuite('uses the running statistics in evaluation, with one row too, and leaves them alone', async () => {
  const [mean, variance] = [
    [0.5, -2, 3],
    [4, 0.25, 1e-3],
  ];
  const fixed = (values: readonly number[]) => () => Float32Array.from(values);
  for (const rows of [1, 50]) {
    const one: OpCase = {
      training: false,
      inputs: { x: { shape: [rows, 3] }, weight: { shape: [3] }, bias: { shape: [3] } },
      build: ({ x, weight, bias }, tape) =>
        batchNorm(x, weight, bias, {
          runningMean: tape.state('m', [3], fixed(mean)),
          runningVar: tape.state('v', [3], fixed(variance)),
        }),
      reference: ({ x, weight, bias }) =>
        x.map((v, i) => (weight[i % 3] * (v - mean[i % 3])) / Math.sqrt(variance[i % 3] + eps) + bias[i % 3]),
    };
    await checkForward(device, one);
    await checkGradient(device, one);
  }
  const tape = new Tape({ training: false });
  const x = tape.input('x', [1, 3]);
  batchNorm(x, tape.input('w', [3]), tape.input('b', [3]), running(tape, 3));
  assert.equal(tape.deferred, []);
});

normSuite('sums the gradients where one tensor is weight and bias', () =>
  checkGradient(device, {
    inputs: { x: { shape: [6, 4] }, weight: { shape: [4] } },
    build: ({ x, weight }, tape) => batchNorm(x, weight, weight, running(tape, 4)),
    reference: ({ x, weight }) => caseOf(6, 4).reference({ x, weight, bias: weight }),
  }),
);

normSuite('says which shapes it takes', () => {
  const tape = new Tape({ training: true });
  const [x, w, b] = [tape.input('x', [4, 3]), tape.input('w', [3]), tape.input('b', [3])];
  const throws = (f: () => Tensor, message: string) =>
    assert.throws(f, (error: Error) => error instanceof ShapeError && error.message === message);
  throws(
    () => batchNorm(x, w, tape.input('b2', [2]), running(tape, 3)),
    'batch_norm: x [4,3] needs a bias [3], but it is [2]',
  );
  throws(
    () => batchNorm(x, w, b, { ...running(tape, 3), runningVar: tape.input('v', [1, 3]) }),
    'batch_norm: x [4,3] needs a running_var [3], but it is [1,3]',
  );
  throws(
    () => batchNorm(tape.input('one', [1, 3]), w, b, running(tape, 3)),
    'batch_norm: x [1,3] is a batch of 1 row, which has no variance; train on 2 rows or more',
  );
  throws(() => batchNorm(w, w, b, running(tape, 3)), 'batch_norm: x: has shape [3], but 2 axes are needed');
});

normSuite.run();
