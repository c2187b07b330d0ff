import { readFileSync } from 'node:fs';
import type { Column, Dataset, Schema } from '../../data/schema.js';
import { models, type Program } from '../../models/index.js';
import type { OptionValue } from '../../models/model.js';

/** A tensor as the golden files print it. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor | null>>;

interface GoldenEvaluation {
  readonly logits: GoldenTensor;
  readonly predict: GoldenTensor;
  readonly predict_all_probs?: GoldenTensor;
}

/** What the original computed, in one precision. */
export interface GoldenRun {
  readonly logits_train: GoldenTensor;
  readonly loss: Readonly<Record<string, GoldenTensor | number | readonly GoldenTensor[] | null>>;
  readonly grads: GoldenTensors;
  readonly loss_per_step: readonly number[];
  readonly params_after_1: GoldenTensors;
  readonly params_after_3: GoldenTensors;
  readonly buffers_after_1?: GoldenTensors;
  readonly buffers_after_3?: GoldenTensors;
  readonly eval_before: GoldenEvaluation;
  readonly eval_after_1: GoldenEvaluation;
  readonly eval_after_3: GoldenEvaluation;
}

interface GoldenField {
  readonly name: string;
  readonly dim: number;
  readonly offset: number;
}

export interface GoldenFields {
  readonly token: readonly GoldenField[];
  readonly token_seq: readonly { readonly name: string; readonly dim: number; readonly max_len: number }[];
  readonly float: readonly GoldenField[];
  /** Names in the order in which the model reads them: with two towers users' fields, then item_id and the items'. */
  readonly field_names_seen: readonly string[];
}

/** The options of a golden run under RecBole's names. */
export type GoldenHyper = Readonly<Record<string, OptionValue | Readonly<Record<string, number>>>>;

/** A file of the format golden-v1. */
export interface Fixture {
  readonly format: string;
  readonly case: string;
  readonly model: string;
  readonly multi_cls: number;
  readonly hyper: GoldenHyper;
  readonly fields: GoldenFields;
  readonly adam: {
    readonly lr: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly eps: number;
    readonly weight_decay: number;
  };
  readonly batch: Readonly<Record<string, GoldenTensor>> & { readonly size?: never };
  readonly init: GoldenTensors;
  readonly init_buffers?: GoldenTensors;
  /** What the original computes with but neither trains nor saves. */
  readonly init_untracked?: GoldenTensors;
  readonly f64: GoldenRun;
  /** What rounding did to the original; fixtures of other sizes leave most of it out. */
  readonly f32: Partial<GoldenRun>;
}

/** Reads a fixture. Throws if the file is of another format. */
export function readFixture(path: string): Fixture {
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  if (fixture.format !== 'golden-v1') throw new Error(`${path}: format is ${fixture.format}, not golden-v1`);
  return fixture;
}

export const values = (tensor: GoldenTensor): Float64Array => Float64Array.from(tensor.data, Number);

/** The schema of a golden batch: every field is part of the row itself. */
export function schemaOf(fields: GoldenFields): Schema {
  const field = ({ name, dim, offset }: GoldenField) => ({
    name,
    source: 'inter' as const,
    cardinality: dim,
    offset,
  });
  return {
    token: fields.token.map(field),
    tokenSeq: fields.token_seq.map(({ name, dim, max_len }) => ({
      name,
      source: 'inter',
      cardinality: dim,
      maxLength: max_len,
    })),
    float: fields.float.map(field),
    userField: 'user_id',
    itemField: 'item_id',
  };
}

/** Rows of golden columns as a data set. */
export function datasetOf(schema: Schema, batch: Readonly<Record<string, GoldenTensor>>): Dataset {
  const ids = (name: string) => Uint32Array.from(batch[name].data, Number);
  const columns = new Map<string, Column>();
  for (const { name } of schema.token) columns.set(name, { type: 'token', ids: ids(name) });
  for (const { name, maxLength } of schema.tokenSeq)
    columns.set(name, { type: 'token_seq', ids: ids(name), maxLength });
  for (const { name } of schema.float) {
    const pairs = batch[name].data.map(Number);
    columns.set(name, {
      type: 'float',
      values: Float32Array.from(pairs.filter((_, i) => i % 2 === 0)),
      index: Uint32Array.from(pairs.filter((_, i) => i % 2 === 1)),
    });
  }
  return {
    name: 'golden',
    schema,
    inter: { rows: batch.label.shape[0], columns },
    users: null,
    items: null,
    rating: Float32Array.from(batch.rating.data, Number),
    label: Float32Array.from(batch.label.data, Number),
    vocabularies: new Map(),
  };
}

/** The same rows with every field in the table of its user or item; the user and item of row n are number n. */
function twoSidedDatasetOf(fields: GoldenFields, batch: Fixture['batch']): Dataset {
  const flat = datasetOf(schemaOf(fields), batch);
  const names = fields.field_names_seen;
  const sourceOf = (name: string) => (names.indexOf(name) < names.indexOf('item_id') ? 'user' : 'item');
  const moved = <T extends { readonly name: string }>(list: readonly T[]) =>
    list.map((field) => ({ ...field, source: sourceOf(field.name) }) as const);
  const table = (source: string) => {
    const columns = [...flat.inter.columns].filter(([name]) => sourceOf(name) === source);
    return { rows: flat.inter.rows, columns: new Map(columns) };
  };
  const { token, tokenSeq, float } = flat.schema;
  const row: Column = { type: 'token', ids: Uint32Array.from({ length: flat.inter.rows }, (_, n) => n) };
  return {
    ...flat,
    schema: {
      token: moved(token),
      tokenSeq: moved(tokenSeq),
      float: moved(float),
      userField: 'row',
      itemField: 'row',
    },
    inter: { rows: flat.inter.rows, columns: new Map([['row', row]]) },
    users: table('user'),
    items: table('item'),
  };
}

/** The batch of a fixture as its model reads it. */
export const fixtureDataset = ({ fields, batch, hyper }: Fixture): Dataset =>
  hyper.double_tower ? twoSidedDatasetOf(fields, batch) : datasetOf(schemaOf(fields), batch);

/** The program that the options of a golden run describe. Throws if the model is not here. */
export function programOf(name: string, hyper: GoldenHyper, schema: Schema): Program {
  const model = models.find((one) => one.name === name);
  if (model === undefined)
    throw new Error(`${name}: no such model; have ${models.map((one) => one.name).join(', ')}`);
  const options = Object.fromEntries(
    Object.entries(model.config).map(([key, option]) => [
      key,
      (hyper[key] as OptionValue | undefined) ?? option.default,
    ]),
  );
  const threshold = (hyper.threshold as Readonly<Record<string, number>> | undefined)?.rating ?? 4;
  return {
    model,
    options,
    embeddingSize: Number(hyper.embedding_size),
    schema,
    supervision: {
      classes: Number(hyper.multi_cls ?? 0) || 1,
      ratio: Number(hyper.multi_ratio ?? 0),
      positive: Math.trunc(threshold) - 1,
      labelAggregation: 'logit_sum',
    },
  };
}
