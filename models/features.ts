import type { Column, Dataset, FieldSource, Schema, Table } from '../data/schema.js';
import { rowLayout, spansOf, wholeSpan, type RowLayout, type Span } from './layout.js';
import type { Model } from './model.js';

/** Words as the device takes them; f32 values are stored bit for bit where a matrix mixes both. */
export type Words = Uint32Array | Float32Array;

/** The data of a data set in the shape in which a step reads it. */
export interface Features {
  readonly schema: Schema;
  readonly layout: RowLayout;
  /** Every interaction as one row [N, layout.width]. */
  readonly rows: Uint32Array;
  /** Matrices of user and item features by the name under which `declareBatch` reads them, row = id. */
  readonly resident: ReadonlyMap<string, Words>;
  /** Rows of the user and item matrices. */
  readonly users: number;
  readonly items: number;
}

function column(table: Table, name: string): Column {
  const found = table.columns.get(name);
  if (found === undefined)
    throw new Error(`features: the schema names ${name}, but its table has no such column`);
  return found;
}

/** Copies one column into words [rows, width] from column `at` on, adding `offset` to ids. */
function fill(
  words: Words,
  width: number,
  at: number,
  rows: number,
  values: Words,
  per: number,
  offset = 0,
): void {
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < per; j++) words[row * width + at + j] = values[row * per + j] + offset;
  }
}

function tokenIds(table: Table, name: string): Uint32Array {
  const found = column(table, name);
  if (found.type !== 'token') throw new Error(`features: ${name} is ${found.type}, not token`);
  return found.ids;
}

function floatParts(table: Table, name: string): { values: Float32Array; index: Uint32Array } {
  const found = column(table, name);
  if (found.type !== 'float') throw new Error(`features: ${name} is ${found.type}, not float`);
  return { values: found.values, index: found.index ?? new Uint32Array(found.values.length).fill(1) };
}

function sequenceIds(table: Table, name: string): Uint32Array {
  const found = column(table, name);
  if (found.type !== 'token_seq') throw new Error(`features: ${name} is ${found.type}, not token_seq`);
  return found.ids;
}

function packRows(dataset: Dataset, layout: RowLayout): Uint32Array {
  const { schema, inter, label, rating } = dataset;
  const { rows, columns } = inter;
  const { width } = layout;
  const words = new Uint32Array(new SharedArrayBuffer(4 * rows * width));
  const floats = new Float32Array(words.buffer);
  if (columns.has(schema.userField))
    fill(words, width, layout.user, rows, tokenIds(inter, schema.userField), 1);
  if (columns.has(schema.itemField))
    fill(words, width, layout.item, rows, tokenIds(inter, schema.itemField), 1);
  if (label !== null) fill(words, width, layout.label, rows, label, 1);
  // Truncation as torch's long(): a rating of 3.5 is class 2.
  if (rating !== null) fill(words, width, layout.ratingClass, rows, rating.map(Math.trunc), 1, -1);
  const own = <T extends { readonly source: FieldSource }>(fields: readonly T[]) =>
    fields.filter(({ source }) => source === 'inter');
  own(schema.token).forEach(({ name, offset }, i) =>
    fill(words, width, layout.tokens + i, rows, tokenIds(inter, name), 1, offset),
  );
  own(schema.float).forEach(({ name, offset }, i) => {
    const { values, index } = floatParts(inter, name);
    fill(floats, width, layout.floatValues + i, rows, values, 1);
    fill(words, width, layout.floatIndices + i, rows, index, 1, offset);
  });
  schema.tokenSeq.forEach(({ name, maxLength }, k) => {
    const at = layout.sequences[k];
    if (at !== undefined) fill(words, width, at, rows, sequenceIds(inter, name), maxLength);
  });
  return words;
}

function packTable(
  resident: Map<string, Words>,
  schema: Schema,
  source: 'user' | 'item',
  table: Table,
): void {
  const own = <T extends { readonly source: FieldSource }>(fields: readonly T[]) =>
    fields.filter((field) => field.source === source);
  const matrix = <W extends Words>(
    name: string,
    make: new (buffer: SharedArrayBuffer) => W,
    width: number,
  ): W => {
    const words = new make(new SharedArrayBuffer(4 * table.rows * width));
    if (width > 0) resident.set(`${source}.${name}`, words);
    return words;
  };
  const tokens = own(schema.token);
  const ids = matrix('tokens', Uint32Array, tokens.length);
  tokens.forEach(({ name, offset }, i) =>
    fill(ids, tokens.length, i, table.rows, tokenIds(table, name), 1, offset),
  );
  const floats = own(schema.float);
  const values = matrix('float_values', Float32Array, floats.length);
  const indices = matrix('float_indices', Uint32Array, floats.length);
  floats.forEach(({ name, offset }, i) => {
    const parts = floatParts(table, name);
    fill(values, floats.length, i, table.rows, parts.values, 1);
    fill(indices, floats.length, i, table.rows, parts.index, 1, offset);
  });
  schema.tokenSeq.forEach(({ name, source: from, maxLength }, k) => {
    if (from !== source) return;
    fill(
      matrix(`sequence.${k}`, Uint32Array, maxLength),
      maxLength,
      0,
      table.rows,
      sequenceIds(table, name),
      maxLength,
    );
  });
}

/** A data set whose schema is what the model reads of it, in the model's order. */
export const arranged = ({ arrange }: Model, dataset: Dataset): Dataset =>
  arrange === undefined ? dataset : { ...dataset, schema: arrange(dataset.schema) };

/**
 * Lays a data set out for the device: interactions as rows of words, users' and items' features as matrices. Memory is
 * shared, so that a worker thread can read it without a copy.
 */
export function packFeatures(dataset: Dataset): Features {
  const layout = rowLayout(dataset.schema);
  const resident = new Map<string, Words>();
  if (dataset.users !== null) packTable(resident, dataset.schema, 'user', dataset.users);
  if (dataset.items !== null) packTable(resident, dataset.schema, 'item', dataset.items);
  return {
    schema: dataset.schema,
    layout,
    rows: packRows(dataset, layout),
    resident,
    users: dataset.users?.rows ?? 1,
    items: dataset.items?.rows ?? 1,
  };
}

/** Ids of one segment-planned input, joined on the host as `declareBatch` joins them on the device. */
export interface JoinedIds {
  readonly name: string;
  /** Ids a row. */
  readonly width: number;
  /** Writes the ids of the rows [0, count) of `batch` (rows of words) into `ids`. */
  join(batch: Uint32Array, count: number, ids: Uint32Array): void;
}

interface Part {
  readonly words: Uint32Array | undefined;
  readonly key: number;
  /** Words of a row of `words`. */
  readonly stride: number;
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

function joined(name: string, width: number, rowWidth: number, parts: readonly Part[]): JoinedIds {
  return {
    name,
    width,
    join(batch, count, ids) {
      for (const { words, key, stride, from, to, columns } of parts) {
        for (let row = 0, own = 0, into = to; row < count; row++, own += rowWidth, into += width) {
          const source = words ?? batch;
          const at = (words === undefined ? own : Math.imul(batch[own + key], stride)) + from;
          for (let j = 0; j < columns; j++) ids[into + j] = source[at + j];
        }
      }
    },
  };
}

/** The inputs whose ids index tables: 'tokens', 'sequence.k', 'floats'. */
export function joinedIds({ schema, layout, resident }: Features): JoinedIds[] {
  /** A span of a list that begins at `first` in the rows of interactions. */
  const part = (table: string, { source, ...span }: Span, first: number): Part => ({
    words: source === 'inter' ? undefined : (resident.get(`${source}.${table}`) as Uint32Array),
    key: source === 'inter' ? 0 : layout[source],
    stride: span.sourceColumns,
    from: span.sourceColumn + (source === 'inter' ? first : 0),
    to: span.column,
    columns: span.columns,
  });
  const shared = (
    name: string,
    table: string,
    fields: readonly { readonly source: FieldSource }[],
    first: number,
  ) => {
    const parts = spansOf(fields).map((span) => part(table, span, first));
    return fields.length === 0 ? [] : [joined(name, fields.length, layout.width, parts)];
  };
  const sequences = schema.tokenSeq.map(({ source, maxLength }, k) =>
    joined(`sequence.${k}`, maxLength, layout.width, [
      part(`sequence.${k}`, wholeSpan(source, maxLength), layout.sequences[k] ?? 0),
    ]),
  );
  return [
    ...shared('tokens', 'tokens', schema.token, layout.tokens),
    ...sequences,
    ...shared('floats', 'float_indices', schema.float, layout.floatIndices),
  ];
}
