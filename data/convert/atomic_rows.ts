import { DataError } from '../errors.js';
import type { FieldType } from '../schema.js';
import { delimitedRows } from './delimited.js';
import { mapRows, shown, type Input, type OutputColumn, type Row, type Rows } from './row.js';

const types: readonly FieldType[] = ['token', 'token_seq', 'float', 'float_seq'];

/** An atomic file as it was found: its columns, and rows of just these cells. */
export interface AtomicRows {
  readonly columns: readonly OutputColumn[];
  readonly rows: Rows;
}

/** Which columns are wanted; null for all that are there. */
export interface Wanted {
  readonly columns: readonly OutputColumn[] | null;
  /** Names in the file, and those that they get. */
  readonly renamed: Readonly<Record<string, string>>;
}

/**
 * Reads an atomic file of RecBole's archives. Some were written by pandas, with quotes as in CSV, which are taken off.
 * Throws DataError if the header is none, or lacks a wanted column that is not optional.
 */
export async function atomicRows(input: Input, wanted: Wanted): Promise<AtomicRows> {
  const { file, reject } = input;
  const rows = delimitedRows(input, { delimiter: '\t', quotes: true })[Symbol.asyncIterator]();
  let first: readonly Row[] = [];
  for (let piece = await rows.next(); piece.done !== true; piece = await rows.next()) {
    first = piece.value;
    if (first.length > 0) break;
  }
  if (first.length === 0)
    throw new DataError('is empty; its first line must be a header such as user_id:token', file);
  const header = first[0].cells.map((cell) => headerColumn(cell, wanted.renamed, file));
  const chosen = choose(header, wanted.columns, file);
  const indices = chosen.map(({ name }) => header.findIndex((column) => column.name === name));
  const all = (async function* () {
    yield first.slice(1);
    yield* { [Symbol.asyncIterator]: () => rows };
  })();
  const picked = mapRows(all, ({ line, cells }) => {
    if (cells.length === header.length) return indices.map((i) => cells[i]);
    reject(line, `${cells.length} cells under a header of ${header.length} columns`);
    return null;
  });
  return { columns: chosen, rows: picked };
}

function headerColumn(cell: string, renamed: Wanted['renamed'], file: string): OutputColumn {
  const [, name = '', kind = ''] = /^(.+):(\w+)$/.exec(cell.trim()) ?? [];
  const type = types.find((one) => one === kind);
  if (type === undefined) {
    throw new DataError(`header: ${shown(cell)} is no name:type, such as user_id:token`, file, 1);
  }
  return { name: Object.hasOwn(renamed, name) ? renamed[name] : name, type };
}

function choose(
  header: readonly OutputColumn[],
  wanted: readonly OutputColumn[] | null,
  file: string,
): readonly OutputColumn[] {
  if (wanted === null) return header;
  const has = ({ name }: OutputColumn) => header.some((column) => column.name === name);
  const lacking = wanted.filter((column) => column.optional !== true && !has(column));
  if (lacking.length === 0) return wanted.filter(has);
  throw new DataError(
    `header: no column ${lacking.map(({ name }) => name).join(', ')}; have ${header.map(({ name }) => name).join(', ')}`,
    file,
    1,
  );
}
