import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';

/**
 * Categorical cross-entropy of each row: logits z [B,K], label (u32, 0…K−1) [B] → y [B],
 * y[b] = log Σ_k e^z[b,k] − z[b,label[b]].
 */
export const softmaxCrossEntropy = defineOp('softmax_cross_entropy', ['z', 'label'], {
  shape({ z, label }) {
    const [batch] = dims(z, 2, 'softmax_cross_entropy: z');
    if (label.shape.length !== 1 || label.shape[0] !== batch || label.dtype !== 'u32') {
      throw new ShapeError(
        `softmax_cross_entropy: z ${format(z.shape)} needs one u32 class a row, but label is ` +
          `${label.dtype}${format(label.shape)}`,
      );
    }
    return [batch];
  },

  /** The softmax, kept for the backward pass. */
  saves: ({ z }) => ({ p: z.shape }),

  forward({ z, label, y, p }, run) {
    const [batch, classes] = z.shape;
    run('softmax_cross_entropy_forward', { z, label, y, p }, { batch, classes }, [Math.ceil(batch / 4)]);
  },

  backward({ z, label, dy, dz, p }, run) {
    if (dz === undefined) return;
    const [batch, classes] = z.shape;
    const buffers = { p_forward: p, label, dy, dz };
    run('softmax_cross_entropy_backward', buffers, { batch, classes }, [Math.ceil(batch / 4)]);
  },
});

/**
 * Cross-entropy of each row with the uniform distribution: logits z [B,K] → y [B], y[b] = log Σ_k e^z[b,k] − Σ_k z[b,k] / K.
 * What label smoothing mixes in: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, section 7.
 */
export const softmaxCrossEntropyUniform = defineOp('softmax_cross_entropy_uniform', ['z'], {
  shader: 'softmax_cross_entropy',
  shape: ({ z }) => [dims(z, 2, 'softmax_cross_entropy_uniform: z')[0]],

  saves: ({ z }) => ({ p: z.shape }),

  forward({ z, y, p }, run) {
    const [batch, classes] = z.shape;
    run('softmax_cross_entropy_uniform_forward', { z, y, p }, { batch, classes }, [Math.ceil(batch / 4)]);
  },

  backward({ z, dy, dz, p }, run) {
    if (dz === undefined) return;
    const [batch, classes] = z.shape;
    const buffers = { p_forward: p, dy, dz };
    run('softmax_cross_entropy_uniform_backward', buffers, { batch, classes }, [Math.ceil(batch / 4)]);
  },
});
