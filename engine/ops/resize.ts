import { defineOp } from '../op.js';
import { ShapeError, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

function launch(run: Run, x: Tensor, y: Tensor): void {
  const [before, after] = [x, y].map(({ shape }) => shape[shape.length - 1]);
  const count = size(y.shape);
  run('resize_forward', { x, y }, { count, before, after }, strided(count));
}

const resized = defineOp('resize', ['x'], {
  shape({ x }, width: number) {
    if (Number.isInteger(width) && width > 0) return [...x.shape.slice(0, -1), width];
    throw new ShapeError(`resize: the width is ${width}, but a whole number from 1 on is needed`);
  },
  forward: ({ x, y }, run) => launch(run, x, y),
  backward({ dy, dx }, run) {
    if (dx) launch(run, dy, dx);
  },
});

/** The first `width` of the last axis: x [..,N] → y [..,width], filled up with zeros where N is less. */
export const resize = (x: Tensor, width: number): Tensor =>
  x.shape[x.shape.length - 1] === width ? x : resized(x, width);
