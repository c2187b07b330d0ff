import { Tape, xavierNormal, type Store, type Tensor } from '../engine/index.js';
import { declareBatch, type Batch } from './batch.js';
import type { Chunk } from './feed.js';
import type { Features } from './features.js';
import {
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

/** What a model adds to the loss, gathered while it is traced. */
interface Additions {
  readonly penalties: Penalty[];
  mix?: Mix;
}

function builder(tape: Tape, { schema, supervision, embeddingSize }: Program, additions: Additions): Builder {
  return {
    tape,
    schema,
    classes: supervision.classes,
    embeddingSize,
    parameter: (name, shape, init) => tape.parameter(name, shape, { init }),
    table: (name, rows, dim) => tape.parameter(name, [rows, dim], { init: xavierNormal(), table: true }),
    regularize: (w, weight) => {
      if (weight > 0) additions.penalties.push({ w, weight });
    },
    mixLoss: (weight, more) => {
      additions.mix = { weight, more };
    },
  };
}

function traceLogits(program: Program, sizes: TraceSizes, training: boolean, additions: Additions): Traced {
  const tape = new Tape({ ...sizes, training });
  const batch = declareBatch(tape, program.schema, { ...sizes, labels: training });
  const b = builder(tape, program, additions);
  const forward = program.model.build(b, program.options);
  const declared = new Set([...tape.initial.keys()].map(({ name }) => name));
  declareUnused(b, (name) => declared.has(name));
  return { tape, batch, logits: forward(batch) };
}

/** Records one training step of a program up to its losses. Throws ShapeError. */
export function traceTraining(program: Program, sizes: TraceSizes): TracedTraining {
  const additions: Additions = { penalties: [] };
  const traced = traceLogits(program, sizes, true, additions);
  const { labels } = traced.batch;
  if (labels === undefined) throw new Error('traceTraining: the batch has no labels');
  const target = program.model.target?.(program.options);
  const losses = supervise(traced.logits, labels, program.supervision, additions.penalties, target);
  return { ...traced, losses: mixed(losses, additions.mix) };
}

/** Records one evaluation step of a program up to its probabilities. Throws ShapeError. */
export function traceEvaluation(program: Program, sizes: TraceSizes): TracedEvaluation {
  const traced = traceLogits(program, sizes, false, { penalties: [] });
  return { ...traced, prediction: predict(traced.logits, program.supervision) };
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
