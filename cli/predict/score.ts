import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { RawTokens } from '../../data/cells.js';
import { allRows } from '../../data/rows.js';
import type { DataOptions } from '../../data/options.js';
import type { Progress } from '../progress.js';
import { encodeRows, rowWords, type Encoding, type Unseen } from './encode.js';
import { scoreHeader, scoreLines } from './lines.js';
import type { Predictor } from './model.js';
import { inputFields, readPairs, type InputHeader, type InputRows } from './pairs_reader.js';
import type { Sink } from './sink.js';

/** What came of scoring. */
export interface ScoreSummary {
  readonly rows: number;
  readonly header: InputHeader;
  /** Token fields with cells that the model has no id for. */
  readonly unseen: ReadonlyMap<string, Unseen>;
}

/** Rows to collect from a slow input before they are scored. */
const batchRows = 1 << 15;
const pieceBytes = 1 << 20;

/** A stream of bytes with a name for messages. */
export interface Input {
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Undefined for a pipe. */
  readonly bytes: number | undefined;
}

/** Opens `-` for stdin, or a file. Throws the system's error. */
export async function openInput(path: string): Promise<Input> {
  if (path === '-') return { name: 'stdin', pieces: process.stdin, bytes: undefined };
  const info = await stat(path);
  const pieces = createReadStream(path, { highWaterMark: pieceBytes });
  return { name: path, pieces, bytes: info.isFile() ? info.size : undefined };
}

/**
 * Scores the rows of `input` into `sink`, in their order, in bounded memory: while the device scores one batch the next
 * is read. Throws DataError with file and line.
 */
export async function scoreInput(
  predictor: Predictor,
  options: DataOptions,
  input: Input,
  sink: Sink,
  progress: Progress,
): Promise<ScoreSummary> {
  const { encoding, runner, classes } = predictor;
  const { field_separator: separator } = options;
  const summary = { rows: 0, header: { ignored: [], absent: [] }, unseen: new Map<string, Unseen>() };
  const counted = countedPieces(input);
  const score = async ({ words, rows, ...texts }: Batch) => {
    const scores = await runner.scores(allRows(rows), words);
    return { rows, lines: scoreLines(texts.users, texts.items, scores, separator) };
  };
  // Written with the first rows: by then the input's own header is found good.
  let head = scoreHeader(encoding.schema, classes, separator);
  for await (const { rows, lines } of ahead(
    encoded(counted.pieces, input.name, options, encoding, summary),
    score,
  )) {
    await sink.write(head + lines);
    head = '';
    // Rows to come are guessed from the bytes to come.
    const expected = ((summary.rows + rows) * (input.bytes ?? 0)) / counted.bytes();
    if (summary.rows === 0 && expected > 0) progress.begin('predict', Math.round(expected));
    summary.rows += rows;
    progress.update(summary.rows);
  }
  await sink.write(head);
  progress.end();
  return summary;
}

/** Rows ready to be scored, and the ids they came with. */
interface Batch {
  readonly rows: number;
  readonly words: Uint32Array;
  readonly users: readonly string[];
  readonly items: readonly string[];
}

/** Reads batches and puts them into the model's numbers; what is to be said about them goes to `summary`. */
async function* encoded(
  pieces: AsyncIterable<Uint8Array>,
  file: string,
  options: DataOptions,
  encoding: Encoding,
  summary: { header: InputHeader; readonly unseen: Map<string, Unseen> },
): AsyncGenerator<Batch, void, void> {
  const { schema } = encoding;
  const onHeader = (header: InputHeader) => (summary.header = header);
  for await (const batch of readPairs(pieces, {
    file,
    options,
    fields: inputFields(schema),
    batchRows,
    onHeader,
  })) {
    const { table, unseen } = encodeRows(encoding, batch);
    addUnseen(summary.unseen, unseen);
    yield { rows: batch.rows, words: rowWords(schema, table), ...idTexts(batch, schema) };
  }
}

/** What `start` makes of each item, in order; it is started one item ahead, and never for two at a time. */
async function* ahead<T, R>(
  items: AsyncIterable<T>,
  start: (item: T) => Promise<R>,
): AsyncGenerator<R, void, void> {
  let running: Promise<R> | undefined;
  for await (const item of items) {
    const done = await running;
    const isFirst = running === undefined;
    running = start(item);
    if (!isFirst) yield done as R;
  }
  if (running !== undefined) yield await running;
}

function idTexts(
  { columns }: InputRows,
  { userField, itemField }: Encoding['schema'],
): { users: string[]; items: string[] } {
  const texts = (field: string) => {
    // Both columns are checked with the header.
    const { ids, tokens } = columns.get(field) as RawTokens;
    return tokens.texts(ids);
  };
  return { users: texts(userField), items: texts(itemField) };
}

function countedPieces({ pieces }: Input): { pieces: AsyncIterable<Uint8Array>; bytes: () => number } {
  let bytes = 0;
  async function* counted() {
    for await (const piece of pieces) {
      bytes += piece.length;
      yield piece;
    }
  }
  return { pieces: counted(), bytes: () => bytes };
}

function addUnseen(total: Map<string, Unseen>, more: ReadonlyMap<string, Unseen>): void {
  for (const [field, { cells, first }] of more) {
    const known = total.get(field);
    total.set(field, { cells: (known?.cells ?? 0) + cells, first: known?.first ?? first });
  }
}
