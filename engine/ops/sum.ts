import { defineOp } from '../op.js';
import { ShapeError, format, size, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { recordSpread, recordSum, type SumAxes } from './sums.js';

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
      const axes = axesOf(x, axis);
      recordSpread(run, axes, dy, dx, name === 'mean' ? 1 / axes.count : 1);
    },
  });

const rules = { sum: total('sum'), mean: total('mean') };

/** Σ x over `axis`, which disappears: [B,F,D], 1 → [B,D]; over everything → [1] without it. */
export const sum = (x: Tensor, axis?: number): Tensor => rules.sum(x, { axis });

/** Like sum, divided by the number of terms. */
export const mean = (x: Tensor, axis?: number): Tensor => rules.mean(x, { axis });
