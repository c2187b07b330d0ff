import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adam, scheduleCapacity } from '../../engine/index.js';
import { MissedSteps, missedStepsLayout, reachOf } from '../../engine/optim/missed_steps.js';

const decays = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
const reach = reachOf(decays) as number;
const chunkSteps = 8;
const layout = missedStepsLayout(reach, chunkSteps);

const lr = (step: number) => 1e-3 * (1 + 0.5 * Math.sin(step / 30));

/** The schedule of the steps [first, last), counted from 0. */
function scheduleOf(first: number, last: number): Float32Array {
  const { schedule } = adam();
  const steps = Array.from({ length: last - first }, (_, i) => schedule(first + i + 1, lr(first + i)));
  return Float32Array.from(steps.flat());
}

/** Tables after the steps [first, last), chunk by chunk, mirrored as a device sees them. */
function tablesOf(first: number, last: number): Float32Array {
  const steps = new MissedSteps(layout, decays);
  const mirror = steps.whole.floats.slice();
  for (let at = first; at < last; at += chunkSteps) {
    const parts = steps.add(at, scheduleOf(at, Math.min(last, at + chunkSteps)));
    for (const { offset, floats } of parts) mirror.set(floats, offset);
  }
  return mirror;
}

/** How far the steps [first, end) move a row of moments m and v, one after the other, in f64. */
function moved(first: number, end: number, m: number, v: number): number {
  let sum = 0;
  for (let t = first; t < end; t++) {
    const [rate, correction] = adam().schedule(t + 1, lr(t));
    [m, v] = [decays.beta1 * m, decays.beta2 * v];
    sum += (rate * m) / (correction * Math.sqrt(v) + decays.eps);
  }
  return sum;
}

/** The same by an entry [A, ε·w, M₂, limit of y]; undefined where the steps must be made. */
function movedAtOnce([a, e, m2, limit]: readonly number[], m: number, v: number): number | undefined {
  const d = Math.sqrt(v) + e;
  const y = e / d;
  return e > 0 && y <= limit ? ((a * m) / d) * (1 + y * y * m2) : undefined;
}

const entry = (tables: Float32Array, at: number) => Array.from(tables.subarray(4 * at, 4 * at + 4));
const slotOf = (end: number) => (end % layout.slots) * reach;

const missed = suite('MissedSteps');

const moments = [
  [0.1, 1e-2],
  [-1e-6, 1e-12],
  [1e-8, 1e-16],
  [1e-9, 1e-20],
] as const;

function closeTo(got: number | undefined, want: number, where: string): void {
  assert.ok(
    got !== undefined && Math.abs(got - want) <= 1e-6 * Math.abs(want),
    `${where}: ${got}, not ${want}`,
  );
}

missed('has sums as good as the steps, for moments far above, about and far below ε', () => {
  const end = 5000;
  const tables = tablesOf(0, end);
  for (const n of [1, 2, 3, 10, 60, reach - 1]) {
    const sum = entry(tables, slotOf(end) + n);
    for (const [m, v] of moments) {
      closeTo(movedAtOnce(sum, m, v), moved(end - n, end, m, v), `${n} steps, m ${m}, v ${v}`);
    }
    assert.is(movedAtOnce(sum, 0, 0), 0);
  }
});

missed('keeps the sum of all steps that still move a row that missed more', () => {
  const end = 5000;
  const tables = tablesOf(0, end);
  for (const first of [1000, 1500, end - reach]) {
    const sum = entry(tables, layout.fullAt + first);
    closeTo(movedAtOnce(sum, 1e-4, 1e-9), moved(first, first + 2000, 1e-4, 1e-9), `from ${first}`);
  }
  assert.equal(entry(tables, layout.fullAt + end - reach + 1), [0, 0, 0, 0], 'not before they are over');
});

missed('leaves the steps to be made where ε counts while the corrections change fast', () => {
  const end = 100;
  const tables = tablesOf(0, end);
  let made = 0;
  for (const n of [1, 2, 5, 20, 50, 90]) {
    const sum = entry(tables, slotOf(end) + n);
    for (const [m, v] of moments) {
      const got = movedAtOnce(sum, m, v);
      if (got === undefined) made++;
      else closeTo(got, moved(end - n, end, m, v), `${n} steps, m ${m}, v ${v}`);
    }
  }
  assert.ok(made > 3 && made < 12, `${made} of 24 are made step by step`);
});

missed('marks every slot with its step, and keeps those of a chunk and the next', () => {
  const tables = new Uint32Array(tablesOf(0, 64).buffer);
  const marks = Array.from({ length: layout.slots }, (_, slot) => tables[4 * slot * reach]);
  assert.equal(
    marks.sort((a, b) => a - b),
    [56, 57, 58, 59, 60, 61, 62, 63, 64],
  );
});

missed('does not depend on how steps are cut into chunks', () => {
  const whole = new MissedSteps(layout, decays);
  whole.add(0, scheduleOf(0, 1000));
  assert.equal(whole.whole.floats, tablesOf(0, 1000));
});

missed('knows nothing of steps before a gap', () => {
  const steps = new MissedSteps(layout, decays);
  steps.add(0, scheduleOf(0, 900));
  steps.add(1000, scheduleOf(1000, 1008));
  const tables = steps.whole.floats;
  assert.ok(entry(tables, slotOf(1008) + 8)[1] > 0);
  assert.equal(entry(tables, slotOf(1008) + 9), [0, 0, 0, 0]);
});

missed('wraps with the schedule', () => {
  const first = scheduleCapacity - 300;
  const tables = tablesOf(first, scheduleCapacity + reach + 40);
  const sum = entry(tables, layout.fullAt + 8);
  const want = moved(scheduleCapacity + 8, scheduleCapacity + 2008, 1e-4, 1e-9);
  closeTo(movedAtOnce(sum, 1e-4, 1e-9), want, 'behind the wrap');
});

missed('gives powers of the decays for any number of steps', () => {
  const tables = tablesOf(0, 1);
  for (const n of [0, 1, 255, 256, 1000, 5000]) {
    const [low, high] = [n % 256, Math.floor(n / 256)].map((k) => entry(tables, layout.powersAt + k));
    for (const [got, want] of [
      [low[0] * high[2], 0.9 ** n],
      [low[1] * high[3], 0.999 ** n],
    ]) {
      // Smaller ones are no numbers of an f32.
      assert.ok(Math.abs(got - want) <= 1e-6 * want + 1e-40, `${n}: ${got}, not ${want}`);
    }
  }
});

missed('is not for decays that let a row move for long', () => {
  assert.is(reachOf({ beta1: 0, beta2: 0.99, eps: 1e-8 }), 2);
  assert.is(reachOf({ beta1: 0.97, beta2: 0.9, eps: 1e-8 }), undefined);
  assert.is(reachOf({ beta1: 0.99, beta2: 0.999, eps: 1e-8 }), undefined);
});

missed.run();
