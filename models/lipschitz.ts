import { add, type Tape, type Tensor } from '../engine/index.js';
import { inputsOf } from './gradient_penalty.js';
import { predict, supervise, type Prediction } from './losses.js';
import type { Builder, Embedded } from './model.js';
import { traceLogits, type Program, type TraceSizes, type Traced } from './program.js';

/** An evaluation whose input embeddings e can be moved and have a gradient. */
export interface TracedProbe extends Traced {
  readonly prediction: Prediction;
  /** What is added to e, zero unless it is written; together they are as wide as e: [B,n,D] each. */
  readonly moves: readonly Tensor[];
}

interface Move {
  readonly kind: Embedded;
  readonly tensor: Tensor;
}

/** `embedded` that adds a variable to all that is read. */
const movable =
  (tape: Tape, moves: Move[]): Builder['embedded'] =>
  (kind, read) =>
    read().map((part) => {
      const tensor = tape.variable(`moves.${moves.length}`, part.shape);
      moves.push({ kind, tensor });
      return add(part, tensor);
    });

/**
 * Records an evaluation in which nothing but e is variable: rows are independent of one another, since nothing is dropped
 * and batch norm uses its running statistics, so that one backward pass from Σ p gives ∂p/∂e of every row. e is the embedded
 * input of all fields, sequences pooled; of LR, which embeds nothing, the weights of the features. Throws ShapeError.
 */
export function traceProbe(program: Program, sizes: TraceSizes): TracedProbe {
  const moves: Move[] = [];
  const traced = traceLogits(program, sizes, {
    frozen: true,
    embedded: (tape) => movable(tape, moves),
  });
  const inputs = inputsOf(moves).map(({ tensor }) => tensor);
  return { ...traced, prediction: predict(traced.logits, program.supervision), moves: inputs };
}

/**
 * Records the loss of training as it is without dropout and with the running statistics of batch norm: the same in every
 * pass over the same rows. Without gradient penalty. Throws ShapeError.
 */
export function traceLoss(program: Program, sizes: TraceSizes): Traced & { readonly loss: Tensor } {
  const traced = traceLogits(program, sizes, { labels: true });
  const { labels } = traced.batch;
  if (labels === undefined) throw new Error('traceLoss: the batch has no labels');
  const target = program.model.target?.(program.options);
  return {
    ...traced,
    loss: supervise(traced.logits, labels, program.supervision, traced.penalties, target).total,
  };
}
