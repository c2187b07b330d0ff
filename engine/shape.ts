import type { Tensor } from './tensor.js';

/** Sizes of the axes, outermost first; a scalar is [1]. */
export type Shape = readonly number[];

/** Shapes that do not fit an op. The message begins with the op's name. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** Number of elements. */
export const size = (shape: Shape): number => shape.reduce((product, axis) => product * axis, 1);

/** `[4096,16]`, as it stands in messages. */
export const format = (shape: Shape): string => `[${shape.join(',')}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((axis, i) => axis === b[i]);

/** The shape of `t`, which must have `rank` axes; `what` names it in the error. Throws ShapeError. */
export function dims(t: Tensor, rank: number, what = t.name): Shape {
  if (t.shape.length !== rank) {
    throw new ShapeError(`${what}: has shape ${format(t.shape)}, but ${rank} axes are needed`);
  }
  return t.shape;
}
