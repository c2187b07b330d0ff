import { defineOp } from '../op.js';
import { ShapeError, format, size } from '../shape.js';

/**
 * Binary cross-entropy of each row with a logit: z [B,1] or [B], label (u32, 0 or 1) [B] → y [B],
 * y = max(z,0) − z·label + log(1 + e^−|z|).
 */
export const binaryCrossEntropy = defineOp('binary_cross_entropy', ['z', 'label'], {
  shape({ z, label }) {
    if (label.shape.length !== 1 || size(z.shape) !== label.shape[0] || label.dtype !== 'u32') {
      throw new ShapeError(
        `binary_cross_entropy: z ${format(z.shape)} needs one u32 label a row, but label is ` +
          `${label.dtype}${format(label.shape)}`,
      );
    }
    return label.shape;
  },

  forward({ z, label, y }, run) {
    const quads = Math.ceil(label.shape[0] / 4);
    run('binary_cross_entropy_forward', { z, label, y }, { quads }, [quads]);
  },

  backward({ z, label, dy, dz }, run) {
    const quads = Math.ceil(label.shape[0] / 4);
    if (dz) run('binary_cross_entropy_backward', { z, label, dy, dz }, { quads }, [quads]);
  },
});
