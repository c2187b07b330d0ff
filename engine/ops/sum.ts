import { defineOp } from '../op.js';
import { ShapeError, format, size, type Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** What a sum adds: x [outer,count,inner] → [outer,inner]. */
export interface SumAxes {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Scalars and rows of a launch: x [outer,length] in rows of `width`, which every sum or copy leaps over. */
interface Rows {
  readonly outer: number;
  readonly length: number;
  readonly width: number;
}

/** Terms that one invocation adds without a second level. */
const shortSum = 64;
/** Sums that keep every adapter busy without a second level, and the terms that each then adds at most. */
const enoughSums = 4096;
const longSum = 1024;

/**
 * Parts in which each sum is made first: 1, or about the root of its terms, so that both levels are short. Part p adds
 * the terms p, p + parts, p + 2 · parts, …, so that neighbouring invocations read neighbours; always whole vec4s of parts.
 */
function partsOf({ outer, count, inner }: SumAxes): number {
  if (count <= shortSum || (count <= longSum && outer * inner >= enoughSums)) return 1;
  return 4 * Math.ceil(Math.sqrt(count) / 4);
}

function launch(
  run: Run,
  entry: string,
  t: Readonly<Record<string, Tensor>>,
  rows: Rows,
  factor: number,
): void {
  const vec4 = rows.length % 4 === 0 && rows.width % 4 === 0;
  const [suffix, four, lanes] = vec4 ? (['_vec4', '4', 4] as const) : (['', '', 1] as const);
  const [length, width] = [rows.length / lanes, rows.width / lanes];
  const buffers = Object.fromEntries(Object.entries(t).map(([name, tensor]) => [`${name}${four}`, tensor]));
  const count = rows.outer * (entry === 'spread' ? length : width);
  run(`${entry}${suffix}`, buffers, { count, length, width, factor }, [count]);
}

/**
 * y = factor · Σ x over the axis `count`, or factor · Σ x · z where z (of x's shape) is given. Fixed order. For ops
 * whose shader is broadcast.
 */
export function recordSum(run: Run, axes: SumAxes, x: Tensor, y: Tensor, factor = 1, z?: Tensor): void {
  const { outer, count, inner } = axes;
  const parts = partsOf(axes);
  const [entry, operands] = z === undefined ? ['sum', { x }] : ['sum_product', { x, z }];
  const rows = { outer, length: count * inner, width: parts * inner };
  if (parts === 1) {
    launch(run, entry, { ...operands, y }, rows, factor);
    return;
  }
  const partials = run.scratch('partials', [outer, parts, inner]);
  launch(run, entry, { ...operands, y: partials }, rows, 1);
  launch(run, 'sum', { x: partials, y }, { outer, length: parts * inner, width: inner }, factor);
}

/** Over one axis, or over everything. */
function axesOf({ shape }: Tensor, axis: number | undefined): SumAxes {
  if (axis === undefined) return { outer: 1, count: size(shape), inner: 1 };
  return { outer: size(shape.slice(0, axis)), count: shape[axis], inner: size(shape.slice(axis + 1)) };
}

function shapeOf(name: string, x: Tensor, axis: number | undefined): Shape {
  if (axis === undefined) return [1];
  if (!Number.isInteger(axis) || axis < 0 || axis >= x.shape.length) {
    throw new ShapeError(
      `${name}: x ${format(x.shape)} has axes 0…${x.shape.length - 1}, but axis is ${axis}`,
    );
  }
  return x.shape.length === 1 ? [1] : x.shape.toSpliced(axis, 1);
}

const total = (name: 'sum' | 'mean') =>
  defineOp(name, ['x'], {
    shader: 'broadcast',
    shape: ({ x }, { axis }: { readonly axis?: number }) => shapeOf(name, x, axis),

    forward({ x, y }, run, { axis }) {
      const axes = axesOf(x, axis);
      recordSum(run, axes, x, y, name === 'mean' ? 1 / axes.count : 1);
    },

    backward({ x, dy, dx }, run, { axis }) {
      if (dx === undefined) return;
      const { outer, count, inner } = axesOf(x, axis);
      const rows = { outer, length: count * inner, width: inner };
      launch(run, 'spread', { x: dy, y: dx }, rows, name === 'mean' ? 1 / count : 1);
    },
  });

const rules = { sum: total('sum'), mean: total('mean') };

/** Σ x over `axis`, which disappears: [B,F,D], 1 → [B,D]; over everything → [1] without it. */
export const sum = (x: Tensor, axis?: number): Tensor => rules.sum(x, { axis });

/** Like sum, divided by the number of terms. */
export const mean = (x: Tensor, axis?: number): Tensor => rules.mean(x, { axis });
