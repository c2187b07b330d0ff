import {
  ShapeError,
  add,
  binaryCrossEntropy,
  classAggregation,
  l2Norm,
  linear,
  mean,
  reshape,
  scale,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  sub,
  softmaxCrossEntropyUniform,
  type LabelAggregation,
  type Tensor,
} from '../engine/index.js';
import type { Labels } from './batch.js';
import type { Target } from './model.js';

/** How logits are supervised: 1 class is binary; more are mixed with the label as the paper does. */
export interface Supervision {
  readonly classes: number;
  /** Weight of the rating loss, 0…1 (`multi_ratio`). */
  readonly ratio: number;
  /** First rating class that counts as a positive label: threshold − 1. */
  readonly positive: number;
  readonly labelAggregation: LabelAggregation;
  /** Share ε of the uniform distribution in every target; 0 if it is left out. */
  readonly labelSmoothing?: number;
}

/** A tensor whose norm is added to the loss, and its weight. */
export interface Penalty {
  readonly w: Tensor;
  readonly weight: number;
}

/** What a model makes of the loss: weight · loss + `more` [1]. */
export interface Mix {
  readonly weight: number;
  readonly more: Tensor;
}

/** Scalars [1] of a training step. */
export interface Losses {
  readonly total: Tensor;
  readonly label: Tensor;
  readonly rating?: Tensor;
  /** Σ weight · ‖w‖₂, before it is mixed in. */
  readonly penalty?: Tensor;
  /** What the model mixes in. */
  readonly more?: Tensor;
  /** Mean of ‖∂z/∂e · δ‖² over the rows, δ a random unit direction of each; not weighted. */
  readonly slope?: Tensor;
}

/** What a model says of each row. */
export interface Prediction {
  /** Probability of a positive label: [B,1] of one class; of several, column 1 of [B,2]. */
  readonly score: Tensor;
  /** Probability of each rating [B,K], with several classes. */
  readonly ratings?: Tensor;
}

function penaltyOf(penalties: readonly Penalty[]): Tensor | undefined {
  const byWeight = new Map<number, Tensor[]>();
  for (const { w, weight } of penalties) byWeight.set(weight, [...(byWeight.get(weight) ?? []), w]);
  const terms = [...byWeight].map(([weight, tensors]) => scale(l2Norm(tensors), weight));
  return terms.length === 0 ? undefined : terms.reduce((a, b) => add(a, b));
}

/** (1 − ε) · `loss` + ε · the cross-entropy of logits z [B,K] with the uniform distribution: that of smoothed targets. */
function smoothed(loss: Tensor, z: () => Tensor, share = 0): Tensor {
  return share === 0
    ? loss
    : add(scale(loss, 1 - share), scale(mean(softmaxCrossEntropyUniform(z())), share));
}

/** Logits z [B,1] as those of two classes, [−z/2, z/2]. */
const twoClasses = (z: Tensor) => linear(z, z.tape.constant('halves', [2, 1], Float32Array.of(-0.5, 0.5)));

/** Mean cross-entropy of binary logits. With the whole rating r as target it is that of r − 1, less z. */
function binaryLoss(z: Tensor, { label, ratingClass }: Labels, target: Target, smoothing?: number): Tensor {
  if (target === 'label') return smoothed(mean(binaryCrossEntropy(z, label)), () => twoClasses(z), smoothing);
  if (smoothing) {
    throw new ShapeError(
      'label_smoothing: ratings are the target of binary logits, which are no classes; leave it out or choose loss_type=label',
    );
  }
  return mean(sub(binaryCrossEntropy(z, ratingClass), reshape(z, ratingClass.shape)));
}

/**
 * Losses of logits z [B,K]. Binary: mean cross-entropy of the label + penalty. With K > 1 classes and ratio r:
 * (1 − r) · (label loss + penalty) + r · rating loss, where the label loss is the cross-entropy of the aggregated
 * logits. Ouyang et al. 2025; exactly the reference's mix, penalty inside the bracket.
 */
export function supervise(
  z: Tensor,
  labels: Labels,
  supervision: Supervision,
  penalties: readonly Penalty[],
  target: Target = 'label',
): Losses {
  const { classes, ratio, positive, labelAggregation, labelSmoothing } = supervision;
  const penalty = penaltyOf(penalties);
  const plus = (loss: Tensor) => (penalty === undefined ? loss : add(loss, penalty));
  if (classes === 1) {
    const label = binaryLoss(z, labels, target, labelSmoothing);
    return { total: plus(label), label, penalty };
  }
  if (target === 'rating') {
    throw new ShapeError(
      `loss_type: ratings are the target of binary logits, but there are ${classes} classes; leave multi_cls out or ` +
        'choose loss_type=label',
    );
  }
  const classLoss = (logits: Tensor, target: Tensor) =>
    smoothed(mean(softmaxCrossEntropy(logits, target)), () => logits, labelSmoothing);
  const label = classLoss(classAggregation(z, positive, labelAggregation), labels.label);
  const rating = classLoss(z, labels.ratingClass);
  return { total: add(scale(plus(label), 1 - ratio), scale(rating, ratio)), label, rating, penalty };
}

/** Losses with what a model mixes into them. */
export const mixed = (losses: Losses, mix: Mix | undefined): Losses =>
  mix === undefined
    ? losses
    : { ...losses, total: add(scale(losses.total, mix.weight), mix.more), more: mix.more };

/** Losses with weight · `slope` added. */
export const flattened = (losses: Losses, slope: Tensor, weight: number): Losses => ({
  ...losses,
  total: add(losses.total, scale(slope, weight)),
  slope,
});

/** Probabilities from logits z [B,K]. */
export function predict(z: Tensor, { classes, positive, labelAggregation }: Supervision): Prediction {
  if (classes === 1) return { score: sigmoid(z) };
  return { score: softmax(classAggregation(z, positive, labelAggregation)), ratings: softmax(z) };
}
