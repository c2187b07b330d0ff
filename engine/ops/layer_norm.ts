import { defineOp } from '../op.js';
import { size } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** As torch.nn.LayerNorm has it. */
const eps = 1e-5;

function sizes({ shape }: Tensor) {
  const cols = shape[shape.length - 1];
  return { rows: size(shape) / cols, cols };
}

/**
 * Rows of the last axis with mean 0 and variance 1: x [..,N] → y [..,N], y = (x − mean) / √(variance + 1e-5). Ba, Kiros
 * and Hinton 2016, eq. 3, without gain and bias.
 */
export const layerNorm = defineOp('layer_norm', ['x'], {
  shape: ({ x }) => x.shape,
  saves: ({ x }) => ({ scale: [sizes(x).rows] }),

  forward({ x, scale, y }, run) {
    run('layer_norm_forward', { x, scale, y }, { ...sizes(x), eps }, [sizes(x).rows]);
  },

  backward({ x, scale, y, dy, dx }, run) {
    const read = { scale_forward: scale, y_forward: y, dy };
    if (dx) run('layer_norm_backward', { ...read, dx }, sizes(x), [sizes(x).rows]);
  },
});
