import { DataError } from './errors.js';
import type { Note } from './filter.js';
import type { Field } from './load.js';
import type { DataOptions } from './options.js';
import type { FieldSource, Schema } from './schema.js';

/** The one field of `threshold` and its bound; null if there is none. */
export function thresholdOf({
  threshold,
}: DataOptions): { readonly field: string; readonly bound: number } | null {
  const entries = Object.entries(threshold ?? {});
  if (entries.length === 0) return null;
  if (entries.length > 1) {
    throw new DataError(`threshold: has ${entries.length} fields; give one, such as {'rating': 4}`);
  }
  const [[field, bound]] = entries;
  return { field, bound };
}

/** Throws DataError if an option names a field that is not loaded, has the wrong type, or would leak the target. */
export function checkFields(fields: readonly Field[], options: DataOptions): void {
  checkTargets(fields, options);
  for (const name of options.numerical_features) checkInput(fields, name, options);
  for (const name of Object.keys(options.discretization ?? {})) {
    if (options.numerical_features.includes(name)) continue;
    throw new DataError(`discretization: ${name} is not one of numerical_features; add it there`);
  }
  for (const name of Object.keys(options.seq_len ?? {})) {
    const { type } = loaded(fields, name, 'seq_len');
    if (!type.endsWith('_seq'))
      throw new DataError(`seq_len: ${name} has type ${type}, which is no sequence`);
  }
  checkUnused(fields, options);
}

function loaded(fields: readonly Field[], name: string, option: string): Field {
  const field = fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  const have = fields.map((one) => one.name).join(', ');
  throw new DataError(`${option}: no field ${name} is loaded, only ${have}; check load_col`);
}

function checkTargets(fields: readonly Field[], options: DataOptions): void {
  const threshold = thresholdOf(options);
  if (threshold !== null) {
    const { source } = loaded(fields, threshold.field, 'threshold');
    if (source !== 'inter')
      throw new DataError(`threshold: ${threshold.field} is in .${source}, want a field of .inter`);
  }
  for (const name of targets(options)) {
    const type = fields.find((field) => field.name === name)?.type;
    if (type !== undefined && type !== 'float') {
      throw new DataError(`${name}: has type ${type}, but a rating or label must be of type float`);
    }
  }
}

/** What is to be predicted, or what gives it away. */
function targets(options: DataOptions): readonly string[] {
  const { RATING_FIELD, LABEL_FIELD } = options;
  return [RATING_FIELD, LABEL_FIELD, thresholdOf(options)?.field ?? RATING_FIELD];
}

function checkInput(fields: readonly Field[], name: string, options: DataOptions): void {
  const where = `numerical_features: ${name}`;
  if (targets(options).includes(name)) {
    throw new DataError(`${where} is what is to be predicted, never a model input; take it out`);
  }
  const { type } = loaded(fields, name, 'numerical_features');
  if (type === 'float') return;
  throw new DataError(
    type === 'float_seq'
      ? `${where} has type float_seq, which can be loaded but is no model input; take it out`
      : `${where} has type ${type}, which is a model input anyway; only float fields stand here`,
  );
}

function checkUnused(fields: readonly Field[], options: DataOptions): void {
  const { unused_col, USER_ID_FIELD, ITEM_ID_FIELD } = options;
  for (const [source, names] of Object.entries(unused_col ?? {})) {
    for (const name of names) {
      if (name === USER_ID_FIELD || name === ITEM_ID_FIELD) {
        throw new DataError(`unused_col: ${name} joins the tables, so it cannot be left out`);
      }
      if (loaded(fields, name, 'unused_col').source === source) continue;
      throw new DataError(`unused_col: ${name} is not in .${source}; name it under the file it is in`);
    }
  }
}

/** The fields to bring to 0 .. 1: never rating or label. */
export function fieldsToNormalize(
  fields: readonly Field[],
  options: DataOptions,
  note: Note,
): ReadonlySet<string> {
  const { normalize_field: named, normalize_all: all, RATING_FIELD, LABEL_FIELD } = options;
  if (named !== null && all === true) {
    throw new DataError('normalize_field and normalize_all: both are given; give one of them');
  }
  const floats = fields.filter(({ type }) => type.startsWith('float')).map(({ name }) => name);
  const isTarget = (name: string) => name === RATING_FIELD || name === LABEL_FIELD;
  if (all === true) return new Set(floats.filter((name) => !isTarget(name)));
  for (const name of named ?? []) {
    if (isTarget(name)) {
      throw new DataError(
        `normalize_field: ${name} is what is to be predicted and stays as it is; take it out`,
      );
    }
    const { type } = loaded(fields, name, 'normalize_field');
    if (!type.startsWith('float')) note(`normalize_field: ${name} has type ${type} and is not normalized`);
  }
  return new Set(named?.filter((name) => floats.includes(name)) ?? []);
}

/** What the schema needs to know of a field's values. */
export interface FieldSizes {
  /** Ids of a token field, buckets of a float field. */
  readonly cardinality: (field: string) => number;
  /** Width of a sequence column. */
  readonly maxLength: (field: string) => number;
}

/** The model inputs among the fields, in their order, with the first row of each in its joint table. */
export function schemaOf(fields: readonly Field[], options: DataOptions, sizes: FieldSizes): Schema {
  const unused = new Set(Object.values(options.unused_col ?? {}).flat());
  const inputs = fields.filter(({ name }) => !unused.has(name));
  const tokens = inputs.filter(({ type }) => type === 'token');
  const floats = inputs.filter(({ name }) => options.numerical_features.includes(name));
  const sequences = inputs.filter(({ type }) => type === 'token_seq');
  return {
    token: withOffsets(tokens, sizes),
    tokenSeq: sequences.map(({ name, source }) => ({
      name,
      source,
      cardinality: sizes.cardinality(name),
      maxLength: sizes.maxLength(name),
    })),
    float: withOffsets(floats, sizes),
    userField: options.USER_ID_FIELD,
    itemField: options.ITEM_ID_FIELD,
  };
}

interface OffsetField {
  readonly name: string;
  readonly source: FieldSource;
  readonly cardinality: number;
  readonly offset: number;
}

function withOffsets(fields: readonly Field[], sizes: FieldSizes): readonly OffsetField[] {
  let offset = 0;
  return fields.map(({ name, source }) => {
    const field = { name, source, cardinality: sizes.cardinality(name), offset };
    offset += field.cardinality;
    return field;
  });
}
