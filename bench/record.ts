import {
  SegmentPlanner,
  backward,
  type Dispatch,
  type Optimizer,
  type RowIds,
  type Store,
  type Tape,
  type Tensor,
} from '../engine/index.js';
import { uniforms } from './data.js';

const words = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);
/** Bytes of tensors of these shapes. */
export const floatBytes = (...shapes: (readonly number[])[]) =>
  4 * shapes.reduce((sum, shape) => sum + words(shape), 0);

/** Numbers around 0, the same every time. Unlike zeros that nobody wrote, they lie in memory of their own. */
export function numbers(shape: readonly number[]): Float32Array {
  const random = uniforms(1);
  return Float32Array.from({ length: words(shape) }, () => random() - 0.5);
}

/** Ids below `rows`, small ones more frequent, as many as `count`. */
export function skewedIds(count: number, rows: number): Uint32Array {
  const random = uniforms(count + rows);
  return Uint32Array.from({ length: count }, () => Math.floor(random() ** 2 * rows));
}

/** Forward pass of an op: what `build` records, or those of its entries that match, and nothing before. */
export function forwardOf(build: (tape: Tape) => Tensor, entries = /./) {
  return (tape: Tape): readonly Dispatch[] => {
    build(tape);
    return [...tape.forward, ...tape.deferred].filter(({ entry }) => entries.test(entry));
  };
}

/** Backward pass of an op alone. */
export function backwardOf(build: (tape: Tape) => Tensor) {
  return (tape: Tape): readonly Dispatch[] => {
    const y = build(tape);
    return backward(y, tape.input('seed', y.shape)).dispatches;
  };
}

/** Steps of different ids through which the update of a table goes round and round. */
export const updateSteps = 16;

/** Ids of `updateSteps` steps in groups, one after another, and the rows that one names on average. */
export interface Groups {
  /** Ids of the first step. */
  readonly first: Uint32Array;
  readonly blocks: Uint32Array;
  readonly named: number;
}

/** Groups skewed ids. */
export function groupsOf(ids: Pick<RowIds, 'layout' | 'rule'>): Groups {
  const { layout, rule } = ids;
  const all = skewedIds(updateSteps * layout.entries, rule.rows);
  const blocks = new Uint32Array(updateSteps * layout.stride);
  const planner = new SegmentPlanner(rule);
  let named = 0;
  for (let step = 0; step < updateSteps; step++) {
    const block = blocks.subarray(step * layout.stride, (step + 1) * layout.stride);
    planner.plan(all.subarray(step * layout.entries, (step + 1) * layout.entries), layout, block);
    named += block[0] / updateSteps;
  }
  return { first: all.subarray(0, layout.entries), blocks, named };
}

/** Learning rate 0.001 for as many steps as the state remembers. */
export function writeSchedule(store: Store, { schedule }: Pick<Optimizer, 'schedule'>): void {
  const header = 8; // words before the schedule in the step state
  const values = Array.from({ length: 16384 }, (_, i) => [...schedule(i + 1, 0.001)]);
  store.write('state', new Uint32Array(Float32Array.from(values.flat()).buffer), header);
}
