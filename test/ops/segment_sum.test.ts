import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SegmentPlanner,
  ShapeError,
  Store,
  Tape,
  compile,
  rowIds,
  type Plan,
  type RowIds,
  type SegmentLayout,
  type Tensor,
} from '../../engine/index.js';
import { listedRows, recordRowSums, recordTableGradient } from '../../engine/ops/segment_sum.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { numbers } from '../support/numbers.js';

const device = await testDevice();
process.on('exit', () => device.destroy());

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly ids: Uint32Array;
  readonly per?: number;
  readonly skipPadding?: boolean;
}

/** A plan of `record` alone over `steps` steps of the ids, with all of its inputs written. */
async function planOf(
  { rows, width, ids, per = 1, skipPadding = false }: Case,
  record: (tape: Tape, where: ReturnType<typeof tensors>) => Tensor,
  steps = 1,
) {
  const store = new Store(device, 1);
  const tape = new Tape({ training: true, chunkSteps: steps });
  const where = tensors(tape, rows, width, ids.length / steps, per, skipPadding);
  const made = record(tape, where);
  const plan = await compile(device, store, { tape, keep: [made] });
  const source = Float32Array.from(numbers(3)([ids.length / steps / per, width]));
  store.write('source', source);
  feed(store, where.of.layout, new SegmentPlanner(where.of.rule), ids, steps);
  return { plan, store, made, source, where };
}

function tensors(tape: Tape, rows: number, width: number, count: number, per: number, skipPadding: boolean) {
  const of = rowIds(tape.input('ids', [count], 'u32'), { name: 'ids', rows, per, skipPadding });
  return { of, source: tape.input('source', [count / per, width]) };
}

function feed(store: Store, layout: SegmentLayout, planner: SegmentPlanner, ids: Uint32Array, steps: number) {
  const words = new Uint32Array(steps * layout.stride);
  const count = ids.length / steps;
  for (let step = 0; step < steps; step++) {
    const block = words.subarray(step * layout.stride, (step + 1) * layout.stride);
    planner.plan(ids.subarray(step * count, (step + 1) * count), layout, block);
  }
  store.write('segments.ids', words);
}

/** Sum of the sources of each row, in f64: by row of the table, undefined for a row that no id names. */
function twin({ rows, width, ids, per = 1, skipPadding = false }: Case, source: Float32Array) {
  const sums = Array.from({ length: rows }, (): Float64Array | undefined => undefined);
  ids.forEach((row, p) => {
    if (row === 0 && skipPadding) return;
    const sum = (sums[row] ??= new Float64Array(width));
    for (let column = 0; column < width; column++)
      sum[column] += source[Math.floor(p / per) * width + column];
  });
  return sums;
}

/** Rows in the order of the block. */
const firstMet = (ids: Uint32Array, skipPadding: boolean) =>
  [...new Set(ids)].filter((row) => row !== 0 || !skipPadding);

const random = (count: number, rows: number) =>
  Uint32Array.from(numbers(5)([count]), (x) => Math.floor(Math.abs(x) * 1e6) % rows);

/** Row 2 has 2,300 sources: 36 pieces; row 5 has 65, two pieces; row 7 just one whole piece's worth, 64. */
const long = Uint32Array.from({ length: 2500 }, (_, p) =>
  p < 65 ? 5 : p < 129 ? 7 : p % 37 === 0 ? p % 11 : 2,
);

const cases: Readonly<Record<string, Case>> = {
  'one id': { rows: 1, width: 1, ids: Uint32Array.of(0) },
  'width 1': { rows: 40, width: 1, ids: random(300, 40) },
  'width 3': { rows: 90, width: 3, ids: random(301, 90) },
  'width 16': { rows: 500, width: 16, ids: random(400, 500) },
  'long rows, width 1': { rows: 11, width: 1, ids: long },
  'long rows, width 3': { rows: 11, width: 3, ids: long },
  'long rows, width 16': { rows: 11, width: 16, ids: long },
  'padded sequences': { rows: 9, width: 4, ids: random(360, 9), per: 6, skipPadding: true },
  'padding alone': { rows: 9, width: 4, ids: new Uint32Array(12), per: 3, skipPadding: true },
};

/** The sums of the rows that the step names, in its order. */
function listed(tape: Tape, of: RowIds, source: Tensor, clear: boolean): Tensor {
  const target = listedRows(tape, of, source.shape[source.shape.length - 1], clear);
  recordRowSums(tape, tape.forward, of, source, target);
  return target.g;
}

const sumSuite = suite('segment_sum');

for (const [name, one] of Object.entries(cases)) {
  sumSuite(`${name}: each row is the sum of its sources, in the order of the block`, async () => {
    const { plan, store, made, source } = await planOf(one, (tape, { of, source }) =>
      listed(tape, of, source, false),
    );
    plan.run(1);
    const sums = twin(one, source);
    const order = firstMet(one.ids, one.skipPadding ?? false);
    const expected = order.flatMap((row) => [...(sums[row] ?? [])]);
    close((await plan.read(made)).subarray(0, expected.length), expected, 1e-5);
    plan.destroy();
    store.destroy();
  });

  sumSuite(
    `${name}: the scattered gradient is the sum of each row's sources and zero elsewhere`,
    async () => {
      const { plan, store, made, source } = await planOf(one, (tape, { of, source }) => {
        const table = tape.input('table', [one.rows, one.width]);
        return recordTableGradient(tape, tape.forward, table, of, source);
      });
      // Twice, since the second time the gradient is no longer zero to begin with.
      plan.run(1);
      plan.rewind();
      plan.run(1);
      const expected = twin(one, source).flatMap((sum) => [...(sum ?? new Float64Array(one.width))]);
      close(await plan.read(made), expected, 1e-5);
      plan.destroy();
      store.destroy();
    },
  );
}

sumSuite('zeroes what lies behind the last row where it is asked to', async () => {
  for (const width of [3, 4]) {
    const many = { rows: 50, width, ids: random(80, 50) };
    const { plan, store, made, where } = await planOf(many, (tape, { of, source }) =>
      listed(tape, of, source, true),
    );
    plan.run(1);
    assert.ok((await plan.read(made)).subarray(2 * width, 4 * width).every((value) => value !== 0));
    feed(store, where.of.layout, new SegmentPlanner(where.of.rule), new Uint32Array(80).fill(7, 40), 1);
    plan.rewind();
    plan.run(1);
    const after = await plan.read(made);
    assert.ok(after.subarray(0, 2 * width).every((value) => value !== 0));
    assert.ok(after.subarray(2 * width).every((value) => value === 0));
    plan.destroy();
    store.destroy();
  }
});

sumSuite('reads the block of the step that the cursor is at', async () => {
  const one = { rows: 60, width: 8, ids: random(3 * 70, 60) };
  const record = (tape: Tape, { of, source }: ReturnType<typeof tensors>) => listed(tape, of, source, true);
  const { plan, store, made, source } = await planOf(one, record, 3);
  for (const cursor of [2, 0, 1]) {
    plan.setPosition({ step: 5, cursor, seed: 1 });
    plan.run(1);
    const ids = one.ids.subarray(70 * cursor, 70 * (cursor + 1));
    const sums = twin({ ...one, ids }, source);
    const expected = firstMet(ids, false).flatMap((row) => [...(sums[row] ?? [])]);
    close((await plan.read(made)).subarray(0, expected.length), expected, 1e-5, `step ${cursor}`);
  }
  plan.destroy();
  store.destroy();
});

sumSuite('gives the same bits every time', async () => {
  for (const name of ['width 3', 'long rows, width 3', 'long rows, width 16']) {
    const { plan, store, made } = await planOf(cases[name], (tape, { of, source }) =>
      listed(tape, of, source, true),
    );
    const bits = async (of: Plan) => {
      of.rewind();
      of.run(1);
      return Buffer.from((await of.read(made)).slice().buffer);
    };
    const first = await bits(plan);
    for (let time = 0; time < 5; time++) assert.ok(first.equals(await bits(plan)));
    plan.destroy();
    store.destroy();
  }
});

sumSuite('refuses sources whose rows do not fit the table', () => {
  const tape = new Tape({ training: true });
  const { of, source } = tensors(tape, 5, 3, 10, 1, false);
  assert.throws(
    () => recordTableGradient(tape, [], tape.input('table', [5, 4]), of, source),
    (error: unknown) =>
      error instanceof ShapeError &&
      /^segment_sum: rows of \[10,3\] do not fit table \[5,4\]/.test(error.message),
  );
});

sumSuite.run();
