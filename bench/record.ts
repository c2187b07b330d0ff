import {
  SegmentPlanner,
  adam,
  backward,
  type Dispatch,
  type RowIds,
  type Store,
  type Tape,
  type Tensor,
} from '../engine/index.js';
import { uniforms } from './data.js';
import type { KernelCase } from './launch.js';

const words = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);
/** Bytes of tensors of these shapes. */
export const floatBytes = (...shapes: (readonly number[])[]) =>
  4 * shapes.reduce((sum, shape) => sum + words(shape), 0);

/** Ids below `rows`, small ones more frequent, as many as `count`. */
export function skewedIds(count: number, rows: number): Uint32Array {
  const random = uniforms(count + rows);
  return Uint32Array.from({ length: count }, () => Math.floor(random() ** 2 * rows));
}

/** Forward pass of an op: what `build` records, nothing before. */
export function forwardOf(build: (tape: Tape) => Tensor) {
  return (tape: Tape): readonly Dispatch[] => {
    build(tape);
    return tape.forward;
  };
}

/** Backward pass of an op alone, or of those of its entries that match. */
export function backwardOf(build: (tape: Tape) => Tensor, entries = /./) {
  return (tape: Tape): readonly Dispatch[] => {
    const y = build(tape);
    const { dispatches } = backward(y, tape.input('seed', y.shape));
    return dispatches.filter(({ entry }) => entries.test(entry));
  };
}

/** Forward and backward pass of an op, which reads its inputs and dy and writes y and the inputs' gradients. */
export function bothOf(
  name: string,
  inputs: readonly (readonly number[])[],
  y: readonly number[],
  build: (tape: Tape) => Tensor,
  entries = /./,
): KernelCase[] {
  const shape = `[${inputs[0].join(',')}]`;
  const cost = { shape, flops: 0 };
  return [
    { ...cost, name, bytes: floatBytes(...inputs, y), record: forwardOf(build) },
    {
      ...cost,
      name: `${name}, gradient`,
      bytes: floatBytes(...inputs, ...inputs, y),
      record: backwardOf(build, entries),
    },
  ];
}

/** Steps of different ids through which the update of a table goes round and round. */
export const updateSteps = 16;

/** Groups of `updateSteps` steps one after another, and the rows that one names on average. */
export function groupsOf(ids: RowIds): { blocks: Uint32Array; named: number } {
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
  return { blocks, named };
}

/** Learning rate 0.001 for as many steps as the state remembers. */
export function writeSchedule(store: Store): void {
  const header = 8; // words before the schedule in the step state
  const { schedule } = adam();
  const values = Array.from({ length: 16384 }, (_, i) => [...schedule(i + 1, 0.001)]);
  store.write('state', new Uint32Array(Float32Array.from(values.flat()).buffer), header);
}
