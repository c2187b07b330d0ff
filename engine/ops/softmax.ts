import { defineOp } from '../op.js';
import { size } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Rows over which softmax runs, and their length. */
function sizes({ shape }: Tensor) {
  const cols = shape[shape.length - 1];
  return { rows: size(shape) / cols, cols };
}

/** Over the last axis: x [..,N] → y [..,N], y = e^x / Σ e^x. Does not overflow. */
export const softmax = defineOp('softmax', ['x'], {
  shape: ({ x }) => x.shape,

  forward({ x, y }, run) {
    run('softmax_forward', { x, y }, sizes(x), [Math.ceil(sizes(x).rows / 4)]);
  },

  backward({ x, y, dy, dx }, run) {
    if (dx) run('softmax_backward', { y_forward: y, dy, dx }, sizes(x), [sizes(x).rows]);
  },
});
