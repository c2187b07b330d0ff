import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** How class logits become label logits: the paper's code sums logits; prob_sum sums probabilities. */
export type LabelAggregation = 'logit_sum' | 'prob_sum';

interface Classes {
  readonly positive: number;
  readonly how: LabelAggregation;
}

/** Rows, or with exponentials four rows, are one invocation's. */
const over = ({ shape: [batch] }: Tensor, how: LabelAggregation) =>
  how === 'logit_sum' ? [batch] : [Math.ceil(batch / 4)];

const aggregate = defineOp('class_aggregation', ['z'], {
  shape({ z }, { positive }: Classes) {
    const [batch, classes] = dims(z, 2, 'class_aggregation: z');
    if (!Number.isInteger(positive) || positive < 1 || positive >= classes) {
      throw new ShapeError(
        `class_aggregation: z ${format(z.shape)} has classes 0…${classes - 1}, but positive ones begin at ${positive}`,
      );
    }
    return [batch, 2];
  },

  forward({ z, y }, run, { positive, how }) {
    const [batch, classes] = z.shape;
    run(`class_aggregation_${how}_forward`, { z, y }, { batch, classes, positive }, over(z, how));
  },

  backward({ z, y, dy, dz }, run, { positive, how }) {
    if (dz === undefined) return;
    const [batch, classes] = z.shape;
    const buffers: Record<string, Tensor> = how === 'logit_sum' ? { dy, dz } : { z, y_forward: y, dy, dz };
    run(`class_aggregation_${how}_backward`, buffers, { batch, classes, positive }, over(z, how));
  },
});

/**
 * Label logits from class logits: z [B,K] → y [B,2], the negative classes 0 … positive−1 against the rest.
 * logit_sum: y = Σ z over each side. prob_sum: y = log Σ e^z over each side, so that softmax(y) sums probabilities.
 */
export const classAggregation = (z: Tensor, positive: number, how: LabelAggregation): Tensor =>
  aggregate(z, { positive, how });
