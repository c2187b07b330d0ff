import { DataError } from './errors.js';
import { discretize, fillMissing, normalize, padded } from './features.js';
import { filterRows, loadedRows, type Note } from './filter.js';
import { checkFields, fieldsToNormalize, schemaOf, thresholdOf } from './inputs.js';
import { loadAtomic } from './load.js';
import type { DataOptions } from './options.js';
import { remap, type RemappedColumn, type RemappedTable } from './remap.js';
import type { Column, Dataset, Table } from './schema.js';

/**
 * Reads and processes a data set from its atomic files, in RecBole's order: filter, number, fill, label, normalize,
 * discretize. Files that were split before are not filtered. Throws DataError.
 */
export async function buildDataset(options: DataOptions, note: Note): Promise<Dataset> {
  const raw = await loadAtomic(options);
  checkFields(raw.fields, options);
  const normalized = fieldsToNormalize(raw.fields, options, note);
  const rows = raw.benchmark === null ? filterRows(raw, options, note) : loadedRows(raw, options);
  if (rows.inter.count === 0) throw new DataError(`data set ${options.dataset}: .inter has no rows`);
  const { vocabularies, ...remapped } = remap(raw, rows, options);
  const floats = [remapped.inter, remapped.user, remapped.item].flatMap((table) =>
    table ? floatsOf(table) : [],
  );
  for (const [, values] of floats) fillMissing(values);
  checkPresent(floats, options);
  const label = labelOf(remapped.inter, options);
  for (const [name, values] of floats) {
    if (normalized.has(name) && values.length > 0 && !normalize(values))
      note(`${name}: all values are the same`);
  }
  const inter = finished(remapped.inter, options);
  const users = remapped.user && finished(remapped.user, options);
  const items = remapped.item && finished(remapped.item, options);
  const schema = schemaOf(raw.fields, options, {
    cardinality: (name) =>
      vocabularies.get(name)?.length ?? floatRows(columnOf(name, inter, users, items), name, options),
    maxLength: (name) => widthOf(columnOf(name, inter, users, items)),
  });
  return {
    name: options.dataset,
    schema,
    inter: withLabel(inter, label, options),
    users,
    items,
    rating: valuesOf(inter, options.RATING_FIELD),
    label,
    vocabularies,
    ...(raw.benchmark !== null && { benchmark: raw.benchmark }),
  };
}

function floatsOf({ columns }: RemappedTable): [string, Float64Array][] {
  return [...columns].flatMap(([name, column]): [string, Float64Array][] =>
    'values' in column ? [[name, column.values]] : [],
  );
}

/** A column without any value cannot be filled; that matters where its values are used. */
function checkPresent(floats: readonly [string, Float64Array][], options: DataOptions): void {
  const { RATING_FIELD, LABEL_FIELD, numerical_features } = options;
  const used = [RATING_FIELD, LABEL_FIELD, thresholdOf(options)?.field, ...numerical_features];
  const empty = floats.find(([name, values]) => used.includes(name) && Number.isNaN(values[0]));
  if (empty !== undefined)
    throw new DataError(`${empty[0]}: has no value in any row; leave it out with unload_col`);
}

/** 0/1 per interaction, from the threshold or from a label column; null if there is neither. */
function labelOf({ columns }: RemappedTable, options: DataOptions): Float32Array | null {
  const threshold = thresholdOf(options);
  const column = columns.get(threshold?.field ?? options.LABEL_FIELD);
  if (column?.type !== 'float') return null;
  const { values } = column;
  if (threshold !== null) return labelsFrom(values, threshold.bound);
  const odd = values.find((value) => value !== 0 && value !== 1);
  if (odd === undefined) return new Float32Array(values);
  throw new DataError(
    `${options.LABEL_FIELD}: is ${odd} in some row, but labels are 0 or 1; set threshold to make them`,
  );
}

function labelsFrom(values: Float64Array, bound: number): Float32Array {
  const labels = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) labels[i] = values[i] >= bound ? 1 : 0;
  return labels;
}

/** A loaded label column gives way to the label that the threshold makes. */
function withLabel(inter: Table, label: Float32Array | null, { LABEL_FIELD }: DataOptions): Table {
  if (label === null || !inter.columns.has(LABEL_FIELD)) return inter;
  return { ...inter, columns: new Map([...inter.columns, [LABEL_FIELD, { type: 'float', values: label }]]) };
}

function finished({ rows, columns }: RemappedTable, options: DataOptions): Table {
  const done = [...columns].map(([name, column]) => [name, finishedColumn(name, column, options)] as const);
  return { rows, columns: new Map(done) };
}

function finishedColumn(name: string, column: RemappedColumn, options: DataOptions): Column {
  switch (column.type) {
    case 'token':
      return { type: 'token', ids: column.ids };
    case 'token_seq': {
      const { items, maxLength } = padded(column.ids, column.offsets);
      return { type: 'token_seq', ids: items, maxLength };
    }
    case 'float_seq': {
      const { items, maxLength } = padded(column.values, column.offsets);
      return { type: 'float_seq', values: new Float32Array(items), maxLength };
    }
    case 'float':
      return floatColumn(name, column.values, options);
  }
}

/** A model input is a value and an index: value and 1, or 1 and the bucket. */
function floatColumn(name: string, values: Float64Array, options: DataOptions): Column {
  if (!options.numerical_features.includes(name)) return { type: 'float', values: new Float32Array(values) };
  const buckets = options.discretization?.[name];
  if (buckets === undefined) {
    return { type: 'float', values: new Float32Array(values), index: new Uint32Array(values.length).fill(1) };
  }
  return {
    type: 'float',
    values: new Float32Array(values.length).fill(1),
    index: discretize(values, buckets),
  };
}

function columnOf(name: string, ...tables: readonly (Table | null)[]): Column | undefined {
  return tables.find((table) => table?.columns.has(name))?.columns.get(name);
}

/** Rows that a float feature has in its table: 2 as it is, though row 0 is never read, else up to the last bucket. */
function floatRows(column: Column | undefined, name: string, options: DataOptions): number {
  if (column?.type !== 'float' || !options.discretization?.[name]) return 2;
  return (column.index?.reduce((largest, bucket) => Math.max(largest, bucket), 0) ?? 1) + 1;
}

function widthOf(column: Column | undefined): number {
  return column !== undefined && 'maxLength' in column ? column.maxLength : 1;
}

function valuesOf(inter: Table, field: string): Float32Array | null {
  const column = inter.columns.get(field);
  return column?.type === 'float' ? column.values : null;
}
