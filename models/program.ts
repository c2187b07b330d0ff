import {
  Tape,
  xavierNormal,
  type Initializer,
  type Shape,
  type Store,
  type Tensor,
} from '../engine/index.js';
import { declareBatch, type Batch } from './batch.js';
import type { Chunk } from './feed.js';
import type { Features } from './features.js';
import { keepReadings, slopeOf, type Reading } from './gradient_penalty.js';
import {
  flattened,
  mixed,
  predict,
  supervise,
  type Losses,
  type Mix,
  type Penalty,
  type Prediction,
  type Supervision,
} from './losses.js';
import type { Builder, Model, OptionValue } from './model.js';
import { declareUnused } from './unused.js';
import type { Schema } from '../data/schema.js';

/** A model with everything that decides its parameters. */
export interface Program {
  readonly model: Model;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly embeddingSize: number;
  readonly schema: Schema;
  readonly supervision: Supervision;
  /** Weight of the gradient penalty (gradient_penalty.ts); 0 if it is left out. */
  readonly gradientPenalty?: number;
}

/** What to trace a program for. */
export interface TraceSizes {
  /** Plans of one scope share their feed: 'train', 'eval'. */
  readonly scope: string;
  readonly rows: number;
  readonly capacity: number;
  readonly chunkSteps: number;
  readonly users: number;
  readonly items: number;
  /** Ids are fed joined, as a DeviceFeed does. */
  readonly joined?: boolean;
  readonly denseTables?: boolean;
}

/** A traced program. */
export interface Traced {
  readonly tape: Tape;
  readonly batch: Batch;
  readonly logits: Tensor;
}

export interface TracedTraining extends Traced {
  readonly losses: Losses;
}

export interface TracedEvaluation extends Traced {
  readonly prediction: Prediction;
}

/** How a program is traced: as in evaluation, unless it says otherwise. */
interface Tracing {
  readonly training?: boolean;
  readonly labels?: boolean;
  /** Parameters have no gradients. */
  readonly frozen?: boolean;
  /** What becomes of embeddings; nothing by default. */
  readonly embedded?: (tape: Tape) => Builder['embedded'];
}

/** Logits, what a model adds to the loss, and how to trace them once more. */
interface TracedLogits extends Traced {
  readonly penalties: readonly Penalty[];
  readonly mix?: Mix;
  /** Streams of random numbers that were told apart before the forward pass. */
  readonly drawn: number;
  again(embedded: Builder['embedded']): Tensor;
}

/** A forward pass under way: where embeddings go through, and what the model adds to the loss. */
interface Pass {
  readonly embedded: Builder['embedded'];
  readonly penalties: Penalty[];
  mix?: Mix;
}

function builder(
  tape: Tape,
  { schema, supervision, embeddingSize }: Program,
  frozen: boolean,
  pass: () => Pass,
): Builder {
  const declare = (name: string, shape: Shape, init: Initializer, table?: boolean) =>
    frozen ? tape.state(name, shape, init) : tape.parameter(name, shape, { init, table });
  return {
    tape,
    schema,
    classes: supervision.classes,
    embeddingSize,
    parameter: (name, shape, init) => declare(name, shape, init),
    table: (name, rows, dim) => declare(name, [rows, dim], xavierNormal(), true),
    embedded: (kind, read) => pass().embedded(kind, read),
    regularize(w, weight) {
      if (weight > 0) pass().penalties.push({ w, weight });
    },
    mixLoss(weight, more) {
      pass().mix = { weight, more };
    },
  };
}

/** Traces a program up to its logits. Throws ShapeError. */
export function traceLogits(program: Program, sizes: TraceSizes, tracing: Tracing): TracedLogits {
  const { training = false, labels = training, frozen = false } = tracing;
  const tape = new Tape({ ...sizes, training });
  const batch = declareBatch(tape, program.schema, { ...sizes, labels });
  const first: Pass = { embedded: tracing.embedded?.(tape) ?? ((_, read) => read()), penalties: [] };
  let pass = first;
  const b = builder(tape, program, frozen, () => pass);
  const forward = program.model.build(b, program.options);
  const declared = new Set([...tape.initial.keys()].map(({ name }) => name));
  declareUnused(b, (name) => declared.has(name));
  const { drawn } = tape;
  const logits = forward(batch);
  const again = (embedded: Builder['embedded']) => {
    pass = { embedded, penalties: [] };
    return forward(batch);
  };
  return { tape, batch, logits, penalties: first.penalties, mix: first.mix, drawn, again };
}

/** Records one training step of a program up to its losses. Throws ShapeError. */
export function traceTraining(program: Program, sizes: TraceSizes): TracedTraining {
  const { model, options, supervision, gradientPenalty = 0 } = program;
  const readings: Reading[] = [];
  const embedded = gradientPenalty > 0 ? () => keepReadings(readings) : undefined;
  const { again, drawn, penalties, mix, ...traced } = traceLogits(program, sizes, {
    training: true,
    embedded,
  });
  const { labels } = traced.batch;
  if (labels === undefined) throw new Error('traceTraining: the batch has no labels');
  const supervised = supervise(traced.logits, labels, supervision, penalties, model.target?.(options));
  const losses = mixed(supervised, mix);
  if (gradientPenalty === 0) return { ...traced, losses };
  const slope = slopeOf({ logits: traced.logits, readings, drawn }, again);
  return { ...traced, losses: flattened(losses, slope, gradientPenalty) };
}

/** Records one evaluation step of a program up to its probabilities. Throws ShapeError. */
export function traceEvaluation(program: Program, sizes: TraceSizes): TracedEvaluation {
  const { tape, batch, logits } = traceLogits(program, sizes, {});
  return { tape, batch, logits, prediction: predict(logits, program.supervision) };
}

/** Writes users' and items' features into the store, once, after the first plan was compiled. */
export function uploadFeatures(store: Store, { resident }: Features): void {
  for (const [name, words] of resident) if (store.has(name)) store.write(name, words);
}

/** Writes a chunk into the feed of `scope`. */
export function uploadChunk(store: Store, scope: string, { rows, segments }: Chunk): void {
  store.write(`${scope}/rows`, rows);
  for (const [name, block] of segments) {
    if (store.has(`${scope}/segments.${name}`)) store.write(`${scope}/segments.${name}`, block);
  }
}
