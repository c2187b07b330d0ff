import { open, type FileHandle } from 'node:fs/promises';
import type { Cells } from './cells.js';
import { Cutter, type CutRows } from './cut.js';
import { DataError } from './errors.js';
import type { FieldType } from './schema.js';

const NEWLINE = 10;
const RETURN = 13;
const CHUNK_BYTES = 1 << 20;
// A longer line means that the file is no atomic file, and would be held in memory as a whole.
const MAX_LINE_BYTES = 1 << 26;
const SHOWN_CHARACTERS = 40;
// Lines may become shorter than those that a guess is made from.
const ROOM = 1.25;
// 1 GiB of numbers: what is more grows as it comes.
const MOST_ROOM = 1 << 27;
const types: readonly FieldType[] = ['token', 'token_seq', 'float', 'float_seq'];

/** A column of an atomic file, from its header `name:type`. */
export interface HeaderField {
  readonly name: string;
  readonly type: FieldType;
}

/** How to read an atomic file. */
export interface AtomicFormat {
  /** Byte between columns. */
  readonly separator: number;
  /** What takes the cells of each column of the header: null leaves the column out. */
  readonly select: (header: readonly HeaderField[]) => readonly (Cells | null)[];
}

/** Reads a whole atomic file, a megabyte at a time, and returns its number of rows; DataError with file and line. */
export async function readAtomic(file: string, format: AtomicFormat): Promise<number> {
  const parser = new AtomicParser(file, format);
  try {
    const handle = await open(file);
    try {
      parser.expect((await handle.stat()).size);
      for await (const chunk of chunksOf(handle)) parser.push(chunk);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readError(error, file);
  }
  parser.end();
  return parser.rows;
}

/** The bytes of a file, in two pieces of memory by turns: one is read while the other is parsed. */
async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const memory = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  const read = (turn: number) => handle.read(memory[turn % 2], 0, CHUNK_BYTES, null);
  let next = read(0);
  try {
    for (let turn = 1; ; turn++) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      next = read(turn);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    // Nobody waits for it where parsing fails, and memory must not be written later.
    await next.catch(() => {});
  }
}

/** The code of one ASCII character other than a line's end; throws DataError naming the option. */
export function separatorByte(separator: string, option: string): number {
  const text = separator === '\\t' ? '\t' : separator; // what a shell makes of "\t"
  const code = text.charCodeAt(0);
  if (text.length !== 1 || code > 127 || code === NEWLINE || code === RETURN) {
    throw new DataError(
      `${option}: "${separator}" is not one ASCII character; give one, such as a tab or a comma`,
    );
  }
  return code;
}

/**
 * Parses an atomic file piece by piece: `push` takes bytes as they come, so that a stream of any length passes in
 * bounded memory if its cells are taken now and then. Lines end in \n or \r\n; empty lines are skipped; quotes are
 * ordinary characters. Every error is a DataError with file and line.
 */
export class AtomicParser {
  #columns: readonly Column[] = [];
  #cutter = new Cutter(NEWLINE, new Uint8Array(1));
  #expectedBytes = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #line = 0;
  #rows = 0;

  /** `file` is the name in messages. */
  constructor(
    private readonly file: string,
    private readonly format: AtomicFormat,
  ) {}

  /** Rows parsed so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Parses all lines that are complete with `chunk`. The chunk may be reused afterwards. */
  push(chunk: Uint8Array): void {
    this.#push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
  }

  /** `chunk` is no Buffer: loops that meet one class of bytes only take a fifth less time. */
  #push(chunk: Uint8Array): void {
    const start = chunk.indexOf(NEWLINE) + 1;
    if (start === 0) {
      this.#rest = joined(this.#rest, chunk);
      if (this.#rest.length > MAX_LINE_BYTES) {
        throw new DataError(`a line of more than ${MAX_LINE_BYTES} bytes`, this.file, this.#line);
      }
      return;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (this.#rest.length > 0) this.#parse(joined(this.#rest, chunk.subarray(0, start)));
    else this.#parse(chunk.subarray(0, start));
    if (end > start) this.#parse(chunk.subarray(start, end));
    this.#rest = chunk.slice(end);
  }

  /** Parses the last line if it has no newline; throws if there was not even a header. */
  end(): void {
    if (this.#rest.length > 0) this.#push(Uint8Array.of(NEWLINE));
    if (this.#line === 0) {
      throw new DataError('empty file; its first line must be a header such as user_id:token', this.file);
    }
  }

  /** Says how many bytes will come in all, about; room for their cells is then made at once. */
  expect(bytes: number): void {
    this.#expectedBytes = bytes;
  }

  #parse(lines: Uint8Array): void {
    const start = this.#line === 0 ? this.#parseHeader(lines) : 0;
    for (let at = start; at < lines.length;) at = this.#parseBlock(lines, at);
    if (this.#expectedBytes > 0 && this.#rows > 0) this.#reserve(lines.length - start);
  }

  /** Makes room for all rows, given that those so far take `bytes`. */
  #reserve(bytes: number): void {
    // Memory that is not written to costs nothing, rows that do not fit a copy of all.
    const rows = Math.min(MOST_ROOM, Math.ceil((ROOM * this.#expectedBytes * this.#rows) / bytes));
    for (const { cells } of this.#columns) cells?.reserve(rows);
    this.#expectedBytes = 0;
  }

  /** Reads the first line; returns where the rows begin. */
  #parseHeader(lines: Uint8Array): number {
    const end = lines.indexOf(NEWLINE);
    const text = Buffer.from(lines.buffer, lines.byteOffset, end)
      .toString('utf8')
      .replace(/^\uFEFF|\r$/g, '');
    this.#line = 1;
    const { separator } = this.format;
    const fields = headerFields(text, String.fromCharCode(separator), this.file);
    const cells = this.format.select(fields);
    this.#columns = fields.map((field, i) => ({ ...field, cells: cells[i] }));
    this.#cutter = new Cutter(
      separator,
      Uint8Array.from(cells, (one) => Number(one !== null)),
    );
    return end + 1;
  }

  /** Reads a block of rows from `start` on; returns where the next begins. */
  #parseBlock(bytes: Uint8Array, start: number): number {
    const cutter = this.#cutter;
    const end = cutter.cut(bytes, start);
    const block = cutter.block(bytes);
    const bad = this.#readCells(block, this.#columns);
    if (bad !== undefined) this.#failCell(bad, bytes, start);
    if (cutter.oddColumn >= 0) this.#failRow(bytes, start);
    this.#rows += block.rows;
    this.#line += cutter.lines;
    return end;
  }

  /** Hands the cells of each column on; returns the first, row by row, that is no value of its column's type. */
  #readCells(rows: CutRows, columns: readonly Column[]): BadCell | undefined {
    let [badRow, badColumn] = [Infinity, 0];
    for (const [i, { cells }] of columns.entries()) {
      const row = cells === null ? -1 : cells.read(rows, i);
      if (row >= 0 && row < badRow) [badRow, badColumn] = [row, i];
    }
    if (badRow === Infinity) return undefined;
    const cell = badRow * rows.columns + badColumn;
    return { column: columns[badColumn], at: rows.starts[cell], end: rows.ends[cell] };
  }

  /** The row behind the block that began at `start` has the wrong number of cells, or a bad one before that shows. */
  #failRow(bytes: Uint8Array, start: number): never {
    const odd = this.#cutter.oddColumn;
    const row = this.#cutter.oddRow(bytes);
    const bad = this.#readCells(row, this.#columns.slice(0, odd + 1));
    if (bad !== undefined) this.#failCell(bad, bytes, start);
    let have = odd + 1;
    for (let i = row.starts[odd]; bytes[i] !== NEWLINE; i++) if (bytes[i] === this.format.separator) have++;
    const want = `a header of ${this.#columns.length} columns; check the row and field_separator`;
    this.#fail(`row of ${have} cells under ${want}`, bytes.subarray(start, row.starts[0]));
  }

  #failCell({ column: { name, type }, at, end }: BadCell, bytes: Uint8Array, start: number): never {
    const text = Buffer.from(bytes.subarray(at, end)).toString('utf8');
    const cell = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    const want = type === 'float' ? 'a finite number' : 'a sequence of finite numbers';
    this.#fail(
      `${name} is "${cell}", but a ${type} must be ${want}; mend the row or leave the cell empty`,
      bytes.subarray(start, at),
    );
  }

  /** `before` are the bytes between the last line that is done and what is wrong. */
  #fail(message: string, before: Uint8Array): never {
    const lines = before.reduce((count, byte) => count + Number(byte === NEWLINE), 1);
    throw new DataError(message, this.file, this.#line + lines);
  }
}

interface Column extends HeaderField {
  readonly cells: Cells | null;
}

/** A cell that is no value of its column's type, and where it stands. */
interface BadCell {
  readonly column: Column;
  readonly at: number;
  readonly end: number;
}

function headerFields(line: string, separator: string, file: string): HeaderField[] {
  const fail = (message: string): never => {
    throw new DataError(`header: ${message}`, file, 1);
  };
  const fields = line.split(separator).map((field, i) => {
    const colon = field.lastIndexOf(':');
    if (colon <= 0)
      fail(`column ${i + 1} is "${field}", want name:type, such as user_id:token; check field_separator`);
    const name = field.slice(0, colon);
    const type = types.find((one) => one === field.slice(colon + 1));
    if (type === undefined) {
      return fail(`${name} has type "${field.slice(colon + 1)}"; give one of ${types.join(', ')}`);
    }
    return { name, type };
  });
  const twice = fields.find(({ name }, i) => fields.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) fail(`two columns are called ${twice.name}; rename one`);
  return fields;
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}

function readError(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new DataError('no such file', file);
  if (code === 'EISDIR') return new DataError('is a folder, want an atomic file', file);
  if (code === 'EACCES' || code === 'EPERM')
    return new DataError('may not be read; check its permissions', file);
  return error;
}
