import { add, dropout, mean, mul, scale, size, sub, type Tape, type Tensor } from '../engine/index.js';
import type { Builder, Embedded } from './model.js';

/** What `Builder.embedded` gave in a first pass, for a second one to read. */
export interface Reading {
  readonly kind: Embedded;
  readonly parts: readonly Tensor[];
}

/** Length of the step along the random direction: far above f32's rounding of a logit, far below an embedding. */
const stepLength = 1e-2;

/** `embedded` of a first pass: gives what is read and keeps it in `readings`. */
export const keepReadings =
  (readings: Reading[]): Builder['embedded'] =>
  (kind, read) => {
    const parts = read();
    readings.push({ kind, parts: [...parts] });
    return parts;
  };

/** Readings that are input embeddings: those called so, or the first-order weights of a model that has no other. */
export function inputsOf<R extends Pick<Reading, 'kind'>>(readings: readonly R[]): readonly R[] {
  const embeddings = readings.filter(({ kind }) => kind === 'embedding');
  return embeddings.length > 0 ? embeddings : readings;
}

/** ±length for every element, both as likely, drawn anew in every step. */
function signs(tape: Tape, { shape }: Tensor, length: number): Tensor {
  const ones = tape.constant('ones', shape, new Float32Array(size(shape)).fill(1));
  const one = tape.constant('one', [1], Float32Array.of(1));
  return scale(sub(dropout(ones, 0.5, tape.nextStream()), one), length); // dropout gives 0 or 2
}

/** `embedded` of a second pass: what the first one read, the inputs moved by a random direction of length `length`. */
function movedReadings(tape: Tape, readings: readonly Reading[], length: number): Builder['embedded'] {
  const inputs = new Set(inputsOf(readings));
  const widths = [...inputs].flatMap(({ parts }) => parts.map(({ shape: [, fields, dim] }) => fields * dim));
  const each = length / Math.sqrt(widths.reduce((sum, width) => sum + width, 0));
  const moved = readings.map((reading) =>
    inputs.has(reading)
      ? reading.parts.map((part) => add(part, signs(tape, part, each)))
      : [...reading.parts],
  );
  let next = 0;
  return () => [...moved[next++]];
}

/** A first pass, for a second one that repeats it. */
export interface FirstPass {
  readonly logits: Tensor;
  readonly readings: readonly Reading[];
  /** Streams of random numbers that the tape had told apart before. */
  readonly drawn: number;
}

/**
 * Mean over the rows of ‖(z(e + hδ) − z(e)) / h‖² [1], an estimate of ‖∂z/∂e · δ‖² that needs no second derivatives. δ are
 * random signs, of length 1 in every row, so that it is ‖∂z/∂e‖² / (F·D) on average. `again` traces the second pass with
 * the given `embedded`; it shares parameters, gathered rows and dropout masks with the first one, and leaves running
 * statistics alone. After Varga, Csiszárik and Zombori, Gradient Regularization Improves Accuracy of Discriminative
 * Models, 2018, with a difference quotient in place of double backpropagation.
 */
export function slopeOf(
  { logits, readings, drawn }: FirstPass,
  again: (embedded: Builder['embedded']) => Tensor,
): Tensor {
  const { tape } = logits;
  const embedded = movedReadings(tape, readings, stepLength);
  const deferred = tape.deferred.length;
  const moved = tape.replay(drawn, () => again(embedded));
  tape.deferred.length = deferred; // what the first pass does after a step is done once
  const quotient = scale(sub(moved, logits), 1 / stepLength);
  return scale(mean(mul(quotient, quotient)), logits.shape[1]); // the sum over classes
}
