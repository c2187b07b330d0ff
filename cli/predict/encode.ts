import type { RawColumn, RawTokens, RawTokenSeq } from '../../data/cells.js';
import type { Column, Schema, Table } from '../../data/schema.js';
import { packFeatures } from '../../models/index.js';
import type { FloatRule } from './context_floats.js';
import type { InputRows } from './pairs_reader.js';
import { knownIds, type Ids } from './vocabulary.js';

/** How rows are put into the model's numbers. */
export interface Encoding {
  readonly schema: Schema;
  readonly idsOf: (field: string) => Ids;
  /** For every float that interactions carry. */
  readonly floatRules: ReadonlyMap<string, FloatRule>;
}

/** Cells of a field that the model has no id for. */
export interface Unseen {
  readonly cells: number;
  /** The first such token; '' for an empty cell. */
  readonly first: string;
}

/** Rows in the model's numbers. */
export interface EncodedRows {
  readonly table: Table;
  /** Token fields that have unseen or, among ids of users and items, empty cells. */
  readonly unseen: ReadonlyMap<string, Unseen>;
}

/** Numbers the tokens, 0 for those the model has not seen; cells of columns that are absent are missing. */
export function encodeRows(encoding: Encoding, input: InputRows): EncodedRows {
  const { schema, idsOf, floatRules } = encoding;
  const { rows, columns: given } = input;
  const unseen = new Map<string, Unseen>();
  const columns = new Map<string, Column>();
  const isInter = ({ source }: { readonly source: string }) => source === 'inter';
  const tokens = schema.token.filter(isInter).map(({ name }) => name);
  for (const name of new Set([schema.userField, schema.itemField, ...tokens])) {
    const isId = name === schema.userField || name === schema.itemField;
    const column = given.get(name) as RawTokens | undefined;
    columns.set(name, column ? tokenColumn(name, column, idsOf(name), isId, unseen) : noTokens(rows));
  }
  for (const { name, maxLength } of schema.tokenSeq.filter(isInter)) {
    const column = given.get(name) as RawTokenSeq | undefined;
    columns.set(name, sequenceColumn(name, rows, maxLength, column, idsOf(name), unseen));
  }
  for (const { name } of schema.float.filter(isInter)) {
    columns.set(name, floatColumn(rows, given.get(name), floatRules.get(name) as FloatRule));
  }
  return { table: { rows, columns }, unseen };
}

/** Rows of words as features.ts lays out interactions. */
export function rowWords(schema: Schema, inter: Table): Uint32Array {
  const rest = { users: null, items: null, rating: null, label: null, vocabularies: new Map() };
  return packFeatures({ name: 'rows to score', schema, inter, ...rest }).rows;
}

const noTokens = (rows: number): Column => ({ type: 'token', ids: new Uint32Array(rows) });

function tokenColumn(
  name: string,
  { ids, tokens }: RawTokens,
  vocabulary: Ids,
  isId: boolean,
  unseen: Map<string, Unseen>,
): Column {
  const known = knownIds(tokens, vocabulary);
  const final = new Uint32Array(ids.length);
  let [cells, first] = [0, -1];
  for (let row = 0; row < ids.length; row++) {
    final[row] = known[ids[row]];
    // An empty cell of context is missing as in training, but a pair has two ids.
    if (final[row] !== 0 || (ids[row] === 0 && !isId)) continue;
    if (cells++ === 0) first = row;
  }
  if (cells > 0) unseen.set(name, { cells, first: tokens.texts(ids.subarray(first, first + 1))[0] });
  return { type: 'token', ids: final };
}

function sequenceColumn(
  name: string,
  rows: number,
  maxLength: number,
  column: RawTokenSeq | undefined,
  vocabulary: Ids,
  unseen: Map<string, Unseen>,
): Column {
  const padded = new Uint32Array(rows * maxLength);
  if (column === undefined) return { type: 'token_seq', ids: padded, maxLength };
  const { ids, offsets, tokens } = column;
  const known = knownIds(tokens, vocabulary);
  let [cells, first] = [0, -1];
  for (let row = 0; row < rows; row++) {
    let next = row * maxLength;
    for (let i = offsets[row]; i < offsets[row + 1]; i++) {
      if (known[ids[i]] !== 0 && next < (row + 1) * maxLength) padded[next++] = known[ids[i]];
      if (known[ids[i]] === 0 && cells++ === 0) first = i;
    }
  }
  if (cells > 0) unseen.set(name, { cells, first: tokens.texts(ids.subarray(first, first + 1))[0] });
  return { type: 'token_seq', ids: padded, maxLength };
}

function floatColumn(rows: number, column: RawColumn | undefined, rule: FloatRule): Column {
  const values = new Float32Array(rows);
  const index = new Uint32Array(rows);
  const numbers = column?.type === 'float' ? column.values : new Float64Array(rows).fill(NaN);
  for (let row = 0; row < rows; row++) {
    const input = rule(numbers[row]);
    values[row] = input.value;
    index[row] = input.index;
  }
  return { type: 'float', values, index };
}
