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

/** Where a column goes in words [rows, width]: from column `at` on, `per` words a row, ids with `offset` added. */
interface Filling {
  readonly words: Words;
  readonly at: number;
  readonly values: Words;
  readonly per?: number;
  readonly offset?: number;
}

/** Rows that stay in a core's cache while one column after the other is put into them. */
const blockRows = 4096;

/** Puts columns side by side. */
function fill(width: number, rows: number, fillings: readonly Filling[]): void {
  for (let from = 0; from < rows; from += blockRows) {
    for (const filling of fillings) fillBlock(filling, width, from, Math.min(rows, from + blockRows));
  }
}

function fillBlock(
  { words, at, values, per = 1, offset = 0 }: Filling,
  width: number,
  from: number,
  to: number,
): void {
  if (per === 1) {
    for (let row = from, i = from * width + at; row < to; row++, i += width) words[i] = values[row] + offset;
    return;
  }
  for (let row = from; row < to; row++) {
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
  const own = <T extends { readonly source: FieldSource }>(fields: readonly T[]) =>
    fields.filter(({ source }) => source === 'inter');
  const ids = (name: string, at: number, offset = 0): Filling => {
    return { words, at, values: tokenIds(inter, name), offset };
  };
  fill(width, rows, [
    ...(columns.has(schema.userField) ? [ids(schema.userField, layout.user)] : []),
    ...(columns.has(schema.itemField) ? [ids(schema.itemField, layout.item)] : []),
    ...(label === null ? [] : [{ words, at: layout.label, values: label }]),
    // What is stored as a whole number is truncated, as by torch's long(): a rating of 3.5 is class 2.
    ...(rating === null ? [] : [{ words, at: layout.ratingClass, values: rating, offset: -1 }]),
    ...own(schema.token).map(({ name, offset }, i) => ids(name, layout.tokens + i, offset)),
    ...own(schema.float).flatMap(({ name, offset }, i) => {
      const { values, index } = floatParts(inter, name);
      return [
        { words: floats, at: layout.floatValues + i, values },
        { words, at: layout.floatIndices + i, values: index, offset },
      ];
    }),
    ...schema.tokenSeq.flatMap(({ name, maxLength }, k) => {
      const at = layout.sequences[k];
      return at === undefined ? [] : [{ words, at, values: sequenceIds(inter, name), per: maxLength }];
    }),
  ]);
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
  const tokenFillings = tokens.map(({ name, offset }, at) => {
    return { words: ids, at, values: tokenIds(table, name), offset };
  });
  fill(tokens.length, table.rows, tokenFillings);
  const floats = own(schema.float);
  const values = matrix('float_values', Float32Array, floats.length);
  const indices = matrix('float_indices', Uint32Array, floats.length);
  const floatFillings = floats.flatMap(({ name, offset }, at) => {
    const parts = floatParts(table, name);
    return [
      { words: values, at, values: parts.values },
      { words: indices, at, values: parts.index, offset },
    ];
  });
  fill(floats.length, table.rows, floatFillings);
  schema.tokenSeq.forEach(({ name, source: from, maxLength }, k) => {
    // Sequences are padded to rows of one width.
    if (from === source) matrix(`sequence.${k}`, Uint32Array, maxLength).set(sequenceIds(table, name));
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
  readonly parts: readonly JoinPart[];
  /** Writes the ids of the rows [0, count) of `batch` (rows of words) into `ids`. */
  join(batch: Uint32Array, count: number, ids: Uint32Array): void;
}

/** Columns of ids that are copied together. */
export interface JoinPart {
  /** A table of users or items; the fed rows themselves if absent. */
  readonly words: Uint32Array | undefined;
  /** Its name among the resident matrices. */
  readonly table: string | undefined;
  /** Column of the fed rows that holds the row number of `words`. */
  readonly key: number;
  /** Words of a row of `words`. */
  readonly stride: number;
  /** First column there, and among the ids. */
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

function joined(name: string, width: number, rowWidth: number, parts: readonly JoinPart[]): JoinedIds {
  return {
    name,
    width,
    parts,
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
  const part = (table: string, { source, ...span }: Span, first: number): JoinPart => ({
    words: source === 'inter' ? undefined : (resident.get(`${source}.${table}`) as Uint32Array),
    table: source === 'inter' ? undefined : `${source}.${table}`,
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
