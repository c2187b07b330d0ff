import * as assert from 'uvu/assert';
import {
  SegmentPlanner,
  Store,
  Tape,
  compile,
  rowIds,
  type Device,
  type Optimizer,
  type Plan,
  type RowIds,
  type Tensor,
} from '../../engine/index.js';
import type { ClipNorm } from '../../engine/updates.js';
import { close } from '../support/close.js';
import { numbers } from '../support/numbers.js';

/** One parameter p whose gradients are given from outside, so that optimizers are tested without a model. */
export interface Setting {
  readonly optimizer: Optimizer;
  readonly initial: Float32Array;
  readonly shape: readonly number[];
  /** The learning rate of step t, counted from 1. */
  readonly lr: number | ((step: number) => number);
  /** Steps for which the schedule is written. */
  readonly steps: number;
  /** `whole`: p gets a gradient of its shape; `rows`: of some rows; `scattered`: the same, made dense. */
  readonly gradients?: 'whole' | 'rows' | 'scattered';
  readonly clipNorm?: ClipNorm;
  /** Most ids of a step; the rows of p by default. */
  readonly capacity?: number;
  readonly chunkSteps?: number;
  /** The schedule of a chunk is written before it, as in training, instead of all of it at the start. */
  readonly live?: boolean;
}

/** Rows of a step and a gradient for each. */
export interface Hit {
  readonly ids: Uint32Array;
  readonly gradient: Float32Array;
}

export interface Training {
  readonly plan: Plan;
  readonly store: Store;
  /** Makes a step with the gradient of the whole of p. */
  step(gradient: Float32Array): void;
  /** Makes a step with the gradients of some rows. */
  stepRows(hit: Hit): void;
  /** Makes a step for each of `ids` (at most chunkSteps), all with the same gradients, in one submit. */
  stepChunk(ids: readonly Uint32Array[], gradient: Float32Array): void;
  read(): Promise<Float32Array>;
  /** p and all slots, by name. */
  everything(): Promise<Map<string, Buffer>>;
  destroy(): void;
}

/** Records that p's gradient is dy itself. */
function recordWhole(tape: Tape, p: Tensor) {
  const y = tape.activation('y', p.shape, 'f32', true);
  tape.record({ op: 'given', shader: 'elementwise', inputs: [p], output: y, backward: (dy) => [dy] });
  return { output: { y, dy: tape.input('dy', p.shape) } };
}

/** Records that row i of the input `source` is the gradient of row ids[i] of p, and an input `loss` as the loss. */
function recordRows(tape: Tape, p: Tensor, ids: RowIds) {
  const loss = tape.variable('loss', [1]);
  const source = tape.input('source', [ids.layout.entries, p.shape[1]]);
  tape.record({
    op: 'given',
    shader: 'elementwise',
    inputs: [p],
    output: loss,
    backward(_, run) {
      run.rows(p, ids, source);
      return [undefined];
    },
  });
  return { loss };
}

function scheduleOf({ optimizer, lr, steps }: Setting): Float32Array {
  const at = (step: number) => optimizer.schedule(step, typeof lr === 'number' ? lr : lr(step));
  return Float32Array.from(Array.from({ length: steps }, (_, i) => at(i + 1)).flat());
}

/** Compiles a setting on `device`. */
export async function training(device: Device, setting: Setting): Promise<Training> {
  const { optimizer, initial, shape, gradients = 'whole', clipNorm, chunkSteps = 1 } = setting;
  const { capacity = shape[0], live = false } = setting;
  const store = new Store(device, 1);
  const tape = new Tape({ training: true, chunkSteps, denseTables: gradients === 'scattered' });
  const p = tape.parameter('p', shape, { init: () => initial, table: gradients !== 'whole' });
  const ids = rowIds(tape.input('ids', [capacity], 'u32'), { name: 'ids', rows: shape[0] });
  const target = gradients === 'whole' ? recordWhole(tape, p) : recordRows(tape, p, ids);
  const plan = await compile(device, store, { tape, ...target, optimizer, clipNorm });
  const schedule = scheduleOf(setting);
  if (!live) plan.setSchedule(1, schedule);
  let done = 0;
  const planner = new SegmentPlanner(ids.rule);
  const { stride } = ids.layout;
  const blocks = new Uint32Array(chunkSteps * stride);
  const stepChunk = (all: readonly Uint32Array[], gradient: Float32Array) => {
    all.forEach((one, i) => planner.plan(one, ids.layout, blocks.subarray(i * stride, (i + 1) * stride)));
    store.write('segments.ids', blocks);
    store.write('source', gradient);
    if (live) plan.setSchedule(done + 1, schedule.subarray(4 * done, 4 * (done + all.length)));
    done += all.length;
    plan.rewind();
    plan.run(all.length);
  };
  return {
    plan,
    store,
    step(gradient) {
      store.write('dy', gradient);
      plan.run(1);
    },
    stepRows: (hit) => stepChunk([hit.ids], hit.gradient),
    stepChunk,
    read: async () => (await store.read('p')) as Float32Array,
    async everything() {
      const found = new Map<string, Buffer>();
      for (const { name } of store.list('parameter', 'slot')) {
        found.set(name, Buffer.from((await store.read(name)).slice().buffer));
      }
      return found;
    },
    destroy() {
      plan.destroy();
      store.destroy();
    },
  };
}

/** Values in [-1, 1] of standard normal spread, as f32. */
export const values = (count: number, seed: number): Float32Array =>
  Float32Array.from(numbers(seed)([count]), Math.tanh);

function hits(rows: number, width: number, steps: number, seed: number): Hit[] {
  const uniform = Float32Array.from(numbers(seed)([steps * rows]), (x) => Math.abs((x * 1e3) % 1));
  const pool = values(4099, seed + 1);
  return Array.from({ length: steps }, (_, step) => {
    const named = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => uniform[step * rows + row] < [0.3, 0.05, 0.005][row % 3],
    );
    const gradient = Float32Array.from(
      { length: named.length * width },
      (_, i) => pool[(step * 31 + i) % 4099],
    );
    return { ids: Uint32Array.from(named), gradient };
  });
}

/** Runs `all` from the start, flushing after the steps in `flushes` and at the end. */
export async function runHits(
  device: Device,
  setting: Setting,
  all: readonly Hit[],
  flushes: readonly number[] = [],
): Promise<Map<string, Buffer>> {
  const one = await training(device, setting);
  all.forEach((hit, i) => {
    one.stepRows(hit);
    if (flushes.includes(i + 1)) one.plan.flush();
  });
  one.plan.flush();
  const everything = await one.everything();
  one.destroy();
  return everything;
}

/** An update rule in f64, element by element: changes p[i] and what it keeps of i, in step t counted from 1. */
export interface Twin {
  readonly p: Float64Array;
  update(i: number, g: number, t: number): void;
}

/** Updates every element in every step, with gradient 0 where no row was hit. */
export function runTwin(twin: Twin, width: number, all: readonly Hit[]): Float64Array {
  all.forEach(({ ids, gradient }, step) => {
    const g = new Float64Array(twin.p.length);
    ids.forEach((row, i) => g.set(gradient.subarray(i * width, (i + 1) * width), row * width));
    g.forEach((value, i) => twin.update(i, value, step + 1));
  });
  return twin.p;
}

export const floats = (bits: Buffer | undefined): Float32Array =>
  bits === undefined ? new Float32Array(0) : new Float32Array(bits.buffer, bits.byteOffset, bits.length / 4);

/** Asserts that the buffers of `names` hold the same numbers in both, to the last bit but the sign of a zero. */
export function same(a: Map<string, Buffer>, b: Map<string, Buffer>, names: readonly string[]): void {
  for (const name of names) {
    const [x, y] = [floats(a.get(name)), floats(b.get(name))];
    assert.ok(x.length > 0 && x.length === y.length, `${name}: ${x.length} and ${y.length} values`);
    const at = x.findIndex((value, i) => value !== y[i]);
    assert.is(at, -1, `${name}[${at}]: ${x[at]} and ${y[at]}`);
  }
}

/** Asserts that three dense steps are those of the twin. */
export async function checkSteps(
  device: Device,
  optimizer: Optimizer,
  twinOf: (initial: Float32Array) => Twin,
) {
  const initial = values(7, 1);
  const one = await training(device, { optimizer, initial, shape: [7], lr: testLr, steps: 3 });
  const twin = twinOf(initial);
  for (const step of [1, 2, 3]) {
    const g = values(7, 10 + step);
    one.step(g);
    g.forEach((value, i) => twin.update(i, value, step));
    close(await one.read(), twin.p, 1e-6, `step ${step}`);
  }
  one.destroy();
}

/** Learning rate of the checks. */
export const testLr = 0.01;
const testRows = 60;

/** A table of 60 rows under `optimizer`. */
export function tableSetting(
  optimizer: Optimizer,
  width: number,
  gradients: 'rows' | 'scattered',
  lr: Setting['lr'] = testLr,
): Setting {
  return {
    optimizer,
    initial: values(testRows * width, 2),
    shape: [testRows, width],
    lr,
    steps: 2000,
    gradients,
  };
}

/** Rows in turn are hit in 30 %, 5 % and 0.5 % of the steps. */
export function tableHits(width: number, steps: number, seed = 3): Hit[] {
  return hits(testRows, width, steps, seed);
}

/**
 * Asserts that row updates, with flushes in between or not, leave p and `slots` of a table as the dense kernel does, to
 * the bit, and within 1e-5 of the twin.
 */
export async function checkRows(
  device: Device,
  optimizer: Optimizer,
  twinOf: (initial: Float32Array) => Twin,
  {
    width,
    steps,
    slots,
  }: { readonly width: number; readonly steps: number; readonly slots: readonly string[] },
): Promise<void> {
  const some = tableHits(width, steps);
  const names = ['p', ...slots.map((slot) => `${slot}.p`)];
  const dense = await runHits(device, tableSetting(optimizer, width, 'scattered'), some);
  const setting = tableSetting(optimizer, width, 'rows');
  for (const flushes of [[], [3, 200, 201, 0.8 * steps]]) {
    const rows = await runHits(device, setting, some, flushes);
    same(rows, dense, names);
    close(floats(rows.get('p')), runTwin(twinOf(setting.initial), width, some), 1e-5);
  }
}

/** Asserts that `make` throws a RangeError whose message matches. */
export function failing(make: () => unknown, message: RegExp): void {
  assert.throws(make, (error: unknown) => error instanceof RangeError && message.test(error.message));
}
