import { ShapeError, format, size, type Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { trace } from './trace.js';

function shapeOf(tensors: readonly Tensor[], axis: number): Shape {
  if (tensors.length === 0) throw new ShapeError('concat: no tensors were given');
  const [{ shape }] = tensors;
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw new ShapeError(`concat: ${format(shape)} has axes 0…${shape.length - 1}, but axis is ${axis}`);
  }
  const rest = (s: Shape) => format(s.toSpliced(axis, 1));
  const other = tensors.find((t) => t.shape.length !== shape.length || rest(t.shape) !== rest(shape));
  if (other !== undefined) {
    throw new ShapeError(
      `concat: ${format(shape)} and ${format(other.shape)} disagree; only axis ${axis} may differ`,
    );
  }
  return shape.with(
    axis,
    tensors.reduce((sum, t) => sum + t.shape[axis], 0),
  );
}

/** Where an input lies in y, both seen as `rows`: of `length` in x, of `stride` in y, from `offset` on. */
interface Slice {
  readonly rows: number;
  readonly length: number;
  readonly stride: number;
  readonly offset: number;
}

/** Rows that one invocation copies. */
const block = 8;

/** Copies between `x` and its slice of `y`; by vec4s where everything is whole ones. */
function copy(
  run: Run,
  entry: string,
  buffers: Readonly<Record<string, Tensor>>,
  { rows, ...slice }: Slice,
): void {
  const vec4 = Object.values(slice).every((words) => words % 4 === 0);
  const [suffix, four, lanes] = vec4 ? (['_vec4', '4', 4] as const) : (['', '', 1] as const);
  const named = Object.entries(buffers).map(([name, t]) => [`${name}${four}`, t] as const);
  const [length, stride, offset] = [slice.length / lanes, slice.stride / lanes, slice.offset / lanes];
  const count = Math.ceil(rows / block) * length;
  const dims = { count, rows, length, stride, offset, block };
  run(`${entry}${suffix}`, Object.fromEntries(named), dims, [count]);
}

/**
 * Tensors one after another along `axis`: [B,I] and [B,J], 1 → [B,I+J]. A single tensor is returned as it is. Ops that can
 * read the parts where they are do, and then they are not put together.
 * Throws ShapeError if they differ in another axis.
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const shape = shapeOf(tensors, axis);
  if (tensors.length === 1) return tensors[0];
  const inner = size(shape.slice(axis + 1));
  const slices = tensors.map((t, i): Slice => ({
    rows: size(shape.slice(0, axis)),
    length: t.shape[axis] * inner,
    stride: shape[axis] * inner,
    offset: tensors.slice(0, i).reduce((sum, before) => sum + before.shape[axis], 0) * inner,
  }));
  const whole = trace({
    op: 'concat',
    inputs: tensors,
    shape,
    forward: (y, run) => tensors.forEach((x, i) => copy(run, 'concat_forward', { x, y }, slices[i])),
    backward(i, dy, run) {
      const dx = run.scratch('dx', tensors[i].shape);
      copy(run, 'concat_backward', { dy, dx }, slices[i]);
      return dx;
    },
  });
  if (axis === 1) whole.tape.partsOf.set(whole, tensors);
  return whole;
}
