import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { DataError } from '../errors.js';
import { delimitedRows } from './delimited.js';
import type { Json } from './python.js';
import { cellText, entryRows } from './records.js';
import { mapRows, type Input, type OutputColumn, type Row, type Rows } from './row.js';

/** A column of a log, and what it becomes. */
export interface LogColumn extends OutputColumn {
  /** Its name in the log. */
  readonly from: string;
}

/** How a log is read. */
export interface LogFormat {
  /** First to last as they are written. */
  readonly columns: readonly LogColumn[];
  /** Of CSV: what stands between cells. */
  readonly delimiter: string;
  /** Of CSV: whether the first line names the columns; without it they are called 1, 2, 3 … */
  readonly header: boolean;
}

/** The kinds of logs by the ends of their names. */
const kinds = {
  csv: /\.(csv|tsv|txt|dat)(\.gz)?$/i,
  jsonl: /\.(jsonl|ndjson|json)(\.gz)?$/i,
  parquet: /\.(parquet|pq)$/i,
};

/** Rows of a log of any kind, cells in the order of the columns. Throws DataError if it lacks one of them. */
export function logRows(path: string, input: Input, format: LogFormat): Rows {
  if (kinds.parquet.test(path)) return parquetRows(path, input, format);
  if (kinds.jsonl.test(path)) return jsonRows(input, format);
  if (kinds.csv.test(path)) return csvRows(input, format);
  throw new DataError('is no log that can be read; give .csv, .tsv, .jsonl (also .gz) or .parquet', path);
}

function csvRows(input: Input, { columns, delimiter, header }: LogFormat): Rows {
  let [names, indices]: [readonly string[] | null, readonly number[]] = [null, []];
  return mapRows(delimitedRows(input, { delimiter, quotes: true }), ({ line, cells }) => {
    if (names === null) {
      names = header ? cells.map((cell) => cell.trim()) : cells.map((_, i) => String(i + 1));
      indices = indicesOf(columns, names, input.file);
      if (header) return null;
    }
    if (cells.length === names.length) return indices.map((index, i) => textOf(cells[index], columns[i]));
    input.reject(line, `${cells.length} cells, want ${names.length} with "${delimiter}" between them`);
    return null;
  });
}

function jsonRows(input: Input, { columns }: LogFormat): Rows {
  return entryRows(input, (entry) =>
    columns.map((column) => {
      if (Object.hasOwn(entry, column.from)) return textOf(entry[column.from], column);
      // JSON may leave out what is missing, but not what makes a row.
      if (column.required === true) throw new SyntaxError(`no ${column.from}`);
      return '';
    }),
  );
}

/** A row group at a time; lines are counted from 1, for the first row. */
async function* parquetRows(
  path: string,
  { file: label }: Input,
  { columns }: LogFormat,
): AsyncGenerator<readonly Row[]> {
  const names = columns.map(({ from }) => from);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    indicesOf(columns, metadata.row_groups[0]?.columns.map(topName) ?? names, label);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const options = { file, metadata, columns: [...new Set(names)], rowStart, rowEnd, compressors };
      const records = await parquetReadObjects(options);
      yield records.map((record, i) => ({
        line: rowStart + i + 1,
        cells: columns.map((column) => textOf(record[column.from], column)),
      }));
      rowStart = rowEnd;
    }
  } catch (error) {
    if (error instanceof DataError || !(error instanceof Error) || 'code' in error) throw error;
    throw new DataError(`is no Parquet file that can be read: ${error.message}`, label);
  }
}

/** Snappy comes with the reader; these come with Node. */
const compressors = {
  GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)),
  BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliDecompressSync(bytes)),
};

const topName = (chunk: { readonly meta_data?: { readonly path_in_schema: readonly string[] } }) =>
  chunk.meta_data?.path_in_schema[0] ?? '';

function indicesOf(columns: readonly LogColumn[], names: readonly string[], file: string): readonly number[] {
  return columns.map(({ from }) => {
    const index = names.indexOf(from);
    if (index >= 0) return index;
    throw new DataError(`no column ${from}; have ${[...new Set(names)].join(', ')}`, file, 1);
  });
}

const dated = /^\d{4}-\d{2}-\d{2}/;

/** The text of a value: dates become seconds where a number is wanted, truth 1 or 0, lists their items. */
function textOf(value: unknown, { type }: LogColumn): string {
  if (value instanceof Date) return type === 'float' ? String(value.getTime() / 1000) : value.toISOString();
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  // A time without a zone is read as UTC, so that a log means the same everywhere.
  if (type === 'float' && typeof value === 'string' && dated.test(value)) return secondsOf(value);
  if (Array.isArray(value))
    return value.map((one) => textOf(one, { name: '', from: '', type: 'token' })).join(' ');
  // What is left is plain: texts, numbers, nothing, or an object that is printed as JSON.
  return cellText(value as Json | undefined);
}

function secondsOf(text: string): string {
  const hasZone = /(Z|[-+]\d{2}:?\d{2})$/i.test(text) && text.length > 10;
  const milliseconds = Date.parse(hasZone || text.length <= 10 ? text : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(milliseconds) ? text : String(milliseconds / 1000);
}
