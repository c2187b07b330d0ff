import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAtomic, separatorByte, type HeaderField } from '../../data/atomic.js';
import { cellsOf, type Cells, type RawColumn, type RawTokenSeq } from '../../data/cells.js';
import { DataError } from '../../data/errors.js';
import { discretize, fillMissing, normalize } from '../../data/features.js';
import { Interner } from '../../data/interner.js';
import type { DataOptions } from '../../data/options.js';
import type { Column, FieldType, Schema, Table } from '../../data/schema.js';
import { knownIds, type Ids } from './vocabulary.js';

/** What the files of users and items are read by. */
export interface SideSource {
  readonly options: DataOptions;
  readonly schema: Schema;
  /** Ids of a field as the checkpoint has them. */
  readonly idsOf: (field: string) => Ids;
}

/** A model input that stands in .user or .item. */
interface SideField {
  readonly name: string;
  readonly type: FieldType;
  readonly cardinality: number;
  readonly maxLength: number;
}

/**
 * The features of all users or items that the model knows, row = id, as training had them: from the file .user or
 * .item alone, numbered by the checkpoint. Null if the model takes nothing from that file. Throws DataError if the
 * file is missing or is another one.
 */
export async function sideTable(from: SideSource, source: 'user' | 'item'): Promise<Table | null> {
  const fields = sideFields(from.schema, source);
  if (fields.length === 0) return null;
  const { options, schema, idsOf } = from;
  const file = sideFile(options, source, fields);
  const idField = source === 'user' ? schema.userField : schema.itemField;
  const raw = await readColumns(file, options, [
    { name: idField, type: 'token', cardinality: 0, maxLength: 1 },
    ...fields,
  ]);
  const rowOf = rowsById(raw, idField, idsOf(idField));
  const columns = fields.map((field): [string, Column] => {
    const column = raw.get(field.name) as RawColumn;
    return [field.name, finished(column, rowOf, field, from, file)];
  });
  return { rows: rowOf.length, columns: new Map(columns) };
}

function sideFields({ token, tokenSeq, float }: Schema, source: 'user' | 'item'): SideField[] {
  return [
    ...token.map((field) => ({ ...field, type: 'token' as const, maxLength: 1 })),
    ...tokenSeq.map((field) => ({ ...field, type: 'token_seq' as const })),
    ...float.map((field) => ({ ...field, type: 'float' as const, maxLength: 1 })),
  ].filter((field) => field.source === source);
}

function sideFile({ data_path, dataset }: DataOptions, source: string, fields: readonly SideField[]): string {
  const file = join(data_path, dataset, `${dataset}.${source}`);
  if (existsSync(file)) return file;
  const names = fields.map(({ name }) => name).join(', ');
  throw new DataError(
    `no such file, and the model needs ${names} from it; name the folder of the data sets with --data_path`,
    file,
  );
}

/** The columns of the fields, as they stand in the file. */
async function readColumns(
  file: string,
  options: DataOptions,
  fields: readonly SideField[],
): Promise<ReadonlyMap<string, RawColumn>> {
  const separator = separatorByte(options.field_separator, 'field_separator');
  const seqSeparator = separatorByte(options.seq_separator, 'seq_separator');
  const columns = new Map<string, Cells>();
  for (const { name, type } of fields) {
    const seqLen = options.seq_len?.[name] ?? Infinity;
    columns.set(name, cellsOf(type, { seqSeparator, seqLen, tokens: new Interner() }));
  }
  const select = (header: readonly HeaderField[]) => {
    for (const { name, type } of fields) checkColumn(header, name, type, file);
    return header.map(({ name }) => columns.get(name) ?? null);
  };
  await readAtomic(file, { separator, select });
  return new Map([...columns].map(([name, cells]) => [name, cells.take()]));
}

function checkColumn(header: readonly HeaderField[], name: string, type: FieldType, file: string): void {
  const found = header.find((field) => field.name === name);
  if (found?.type === type) return;
  const have = found === undefined ? 'it is missing' : `it is ${name}:${found.type}`;
  throw new DataError(
    `header: the model was trained with ${name}:${type}, but ${have}; use the files it was trained on`,
    file,
    1,
  );
}

const NO_ROW = 0xffffffff;

/** Where each id stands in the file, first come first served; NO_ROW for [PAD] and for ids without a row. */
function rowsById(raw: ReadonlyMap<string, RawColumn>, field: string, ids: Ids): Uint32Array {
  const rowOf = new Uint32Array(ids.size + 1).fill(NO_ROW);
  const column = raw.get(field);
  if (column?.type !== 'token') return rowOf;
  const known = knownIds(column.tokens, ids);
  column.ids.forEach((provisional, row) => {
    const id = known[provisional];
    if (id !== 0 && rowOf[id] === NO_ROW) rowOf[id] = row;
  });
  return rowOf;
}

function finished(
  column: RawColumn,
  rowOf: Uint32Array,
  field: SideField,
  { options, idsOf }: SideSource,
  file: string,
): Column {
  switch (column.type) {
    case 'token': {
      const known = knownIds(column.tokens, idsOf(field.name));
      return { type: 'token', ids: rowOf.map((row) => (row === NO_ROW ? 0 : known[column.ids[row]])) };
    }
    case 'token_seq':
      return sequences(column, rowOf, field, idsOf(field.name));
    case 'float':
      return floats(
        Float64Array.from(rowOf, (row) => (row === NO_ROW ? NaN : column.values[row])),
        field,
        options,
        file,
      );
    case 'float_seq':
      throw new Error(`${field.name}: a float_seq is no model input`);
  }
}

function sequences(
  { ids, offsets, tokens }: RawTokenSeq,
  rowOf: Uint32Array,
  { maxLength }: SideField,
  vocabulary: Ids,
): Column {
  const known = knownIds(tokens, vocabulary);
  const padded = new Uint32Array(rowOf.length * maxLength);
  rowOf.forEach((row, id) => {
    if (row === NO_ROW) return;
    const from = offsets[row];
    const length = Math.min(maxLength, offsets[row + 1] - from);
    for (let i = 0; i < length; i++) padded[id * maxLength + i] = known[ids[from + i]];
  });
  return { type: 'token_seq', ids: padded, maxLength };
}

/** Filled, normalized and put into buckets by the same rules over the same rows as in training. */
function floats(
  values: Float64Array,
  { name, cardinality }: SideField,
  options: DataOptions,
  file: string,
): Column {
  fillMissing(values);
  if (Number.isNaN(values[0]))
    throw new DataError(`${name}: has no value in any row that the model knows`, file);
  if (isNormalized(name, options)) normalize(values);
  const buckets = options.discretization?.[name];
  if (buckets === undefined) {
    return { type: 'float', values: new Float32Array(values), index: new Uint32Array(values.length).fill(1) };
  }
  const index = discretize(values, buckets);
  const most = index.reduce((largest, bucket) => Math.max(largest, bucket), 0);
  if (most >= cardinality) {
    throw new DataError(
      `${name}: has ${most + 1} buckets, but the model was trained with ${cardinality}; use the files it was trained on`,
      file,
    );
  }
  return { type: 'float', values: new Float32Array(values.length).fill(1), index };
}

/** Whether training brought the field to 0 .. 1. */
export const isNormalized = (field: string, { normalize_all, normalize_field }: DataOptions): boolean =>
  normalize_all === true || (normalize_field?.includes(field) ?? false);
