import type { FieldSource, Schema } from '../../data/schema.js';
import type { EpochRecord, Metrics, RunState } from '../train/state.js';
import { Malformed, count, fields, list, number, orNull, record, text, word } from './fields.js';

/** What identifies the data that a model was trained on. */
export interface DataIdentity {
  /** Interactions, and the SHA-256 of their ids, labels, ratings and features. */
  readonly rows: number;
  readonly digest: string;
}

/** What tensors of a checkpoint are for. */
export type TensorKind = 'parameter' | 'state' | 'slot';

/** A tensor as it is listed; its words are a blob. */
export interface TensorHeader {
  readonly name: string;
  readonly kind: TensorKind;
  readonly dtype: 'f32' | 'u32';
  readonly shape: readonly number[];
}

/** Everything in a checkpoint but tensors and tokens. */
export interface Meta {
  /** For configFromRecord, which checks it. */
  readonly config: unknown;
  readonly adapter: string;
  readonly data: DataIdentity;
  readonly schema: Schema;
  readonly epochs: number;
  readonly valid: Metrics | null;
  readonly run: RunState | null;
  /** Blobs 0 … in this order. */
  readonly tensors: readonly TensorHeader[];
  /** The blobs after them: how many tokens each holds. */
  readonly tokens: readonly number[];
  /** Field and the place of its tokens in `tokens`. */
  readonly vocabularies: readonly (readonly [string, number])[];
}

/** A copy of the run's state in plain arrays, which the packer keeps as they are. */
export function plainRun(run: RunState): unknown {
  const { words, index } = run.order.generator;
  return { ...run, order: { ...run.order, generator: { words: Array.from(words), index } } };
}

/** Reads what was packed. Throws Malformed. */
export function readMeta(value: unknown): Meta {
  const meta = fields(value, 'header');
  const data = fields(meta.data, 'data');
  return {
    config: meta.config,
    adapter: text(meta.adapter, 'adapter'),
    data: { rows: count(data.rows, 'data.rows'), digest: text(data.digest, 'data.digest') },
    schema: readSchema(meta.schema),
    epochs: count(meta.epochs, 'epochs'),
    valid: orNull(meta.valid, 'valid', readMetrics),
    run: orNull(meta.run, 'run', readRun),
    tensors: list(meta.tensors, 'tensors', readTensor),
    tokens: list(meta.tokens, 'tokens', count1),
    vocabularies: list(meta.vocabularies, 'vocabularies', readVocabulary),
  };
}

const count1 = (value: unknown, what: string) => count(value, what, 1);
const sources: readonly FieldSource[] = ['inter', 'user', 'item'];

function readTensor(value: unknown, what: string): TensorHeader {
  const { name, kind, dtype, shape } = fields(value, what);
  return {
    name: text(name, `${what}.name`),
    kind: word(kind, `${what}.kind`, ['parameter', 'state', 'slot']),
    dtype: word(dtype, `${what}.dtype`, ['f32', 'u32']),
    shape: list(shape, `${what}.shape`, count1),
  };
}

function readVocabulary(value: unknown, what: string): readonly [string, number] {
  const { field, tokens } = fields(value, what);
  return [text(field, `${what}.field`), count(tokens, `${what}.tokens`)];
}

/** Fields of a data set. Throws Malformed. */
export function readSchema(value: unknown): Schema {
  const schema = fields(value, 'schema');
  const common = (one: unknown, what: string) => {
    const { name, source, cardinality } = fields(one, what);
    return {
      name: text(name, `${what}.name`),
      source: word(source, `${what}.source`, sources),
      cardinality: count1(cardinality, `${what}.cardinality`),
    };
  };
  const placed = (one: unknown, what: string) => ({
    ...common(one, what),
    offset: count(fields(one, what).offset, `${what}.offset`),
  });
  const sequence = (one: unknown, what: string) => ({
    ...common(one, what),
    maxLength: count1(fields(one, what).maxLength, `${what}.maxLength`),
  });
  return {
    token: list(schema.token, 'schema.token', placed),
    tokenSeq: list(schema.tokenSeq, 'schema.tokenSeq', sequence),
    float: list(schema.float, 'schema.float', placed),
    userField: text(schema.userField, 'schema.userField'),
    itemField: text(schema.itemField, 'schema.itemField'),
  };
}

const readMetrics = (value: unknown, what: string): Metrics => record(value, what, number);

function readEpoch(value: unknown, what: string): EpochRecord {
  const { epoch, losses, valid } = fields(value, what);
  return {
    epoch: count(epoch, `${what}.epoch`),
    losses: readMetrics(losses, `${what}.losses`),
    valid: orNull(valid, `${what}.valid`, readMetrics),
  };
}

function readOrder(value: unknown): RunState['order'] {
  const { epoch, generator } = fields(value, 'run.order');
  const { words, index } = fields(generator, 'run.order.generator');
  const list32 = list(words, 'run.order.generator.words', count);
  if (list32.length !== 624 || list32.some((word) => word >= 2 ** 32)) {
    throw new Malformed('run.order.generator.words is not the state of a Mersenne Twister');
  }
  return {
    epoch: count(epoch, 'run.order.epoch'),
    generator: { words: Uint32Array.from(list32), index: count(index, 'run.order.generator.index') },
  };
}

function readRun(value: unknown): RunState {
  const run = fields(value, 'run');
  const stopping = fields(run.stopping, 'run.stopping');
  return {
    epoch: count(run.epoch, 'run.epoch'),
    done: count(run.done, 'run.done'),
    losses: readMetrics(run.losses, 'run.losses'),
    step: count(run.step, 'run.step'),
    order: readOrder(run.order),
    stopping: {
      best: number(stopping.best, 'run.stopping.best'),
      bestEpoch: count(stopping.bestEpoch, 'run.stopping.bestEpoch', -1),
      waited: count(stopping.waited, 'run.stopping.waited'),
    },
    best: orNull(run.best, 'run.best', readMetrics),
    history: list(run.history, 'run.history', readEpoch),
  };
}
