import { open, type FileHandle } from 'node:fs/promises';
import { cellEnd, textEnd, type Cells } from './cells.js';
import { DataError } from './errors.js';
import type { FieldType } from './schema.js';

const NEWLINE = 10;
const RETURN = 13;
const CHUNK_BYTES = 1 << 20;
// A longer line means that the file is no atomic file, and would be held in memory as a whole.
const MAX_LINE_BYTES = 1 << 26;
const SHOWN_CHARACTERS = 40;
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
      if (this.#rest.length > MAX_LINE_BYTES) this.#fail(`a line of more than ${MAX_LINE_BYTES} bytes`);
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

  #parse(lines: Uint8Array): void {
    this.#parseRows(lines, this.#line === 0 ? this.#parseHeader(lines) : 0);
  }

  /** Reads the first line; returns where the rows begin. */
  #parseHeader(lines: Uint8Array): number {
    const end = lines.indexOf(NEWLINE);
    const text = Buffer.from(lines.buffer, lines.byteOffset, end)
      .toString('utf8')
      .replace(/^\uFEFF|\r$/g, '');
    this.#line = 1;
    const fields = headerFields(text, String.fromCharCode(this.format.separator), this.file);
    const cells = this.format.select(fields);
    this.#columns = fields.map((field, i) => ({ ...field, cells: cells[i] }));
    return end + 1;
  }

  #parseRows(bytes: Uint8Array, start: number): void {
    const columns = this.#columns;
    const separator = this.format.separator;
    const last = columns.length - 1;
    for (let at = start; at < bytes.length;) {
      this.#line++;
      if (bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE)) {
        at += bytes[at] === NEWLINE ? 1 : 2;
        continue;
      }
      for (let column = 0; column <= last; column++) {
        const cells = columns[column].cells;
        const end = cells === null ? cellEnd(bytes, at, separator) : cells.read(bytes, at);
        if (end < 0) this.#failCell(columns[column], bytes, at);
        if ((bytes[end] === NEWLINE) !== (column === last)) this.#failColumns(bytes, at, column, last + 1);
        at = end + 1;
      }
      this.#rows++;
    }
  }

  /** Cell number `column` at `at` is the last of its line and should not be, or should be and is not. */
  #failColumns(bytes: Uint8Array, at: number, column: number, want: number): never {
    let have = column + 1;
    for (let i = at; bytes[i] !== NEWLINE; i++) if (bytes[i] === this.format.separator) have++;
    this.#fail(`row of ${have} cells under a header of ${want} columns; check the row and field_separator`);
  }

  #failCell({ name, type }: Column, bytes: Uint8Array, at: number): never {
    const end = textEnd(bytes, at, cellEnd(bytes, at, this.format.separator));
    const text = Buffer.from(bytes.subarray(at, end)).toString('utf8');
    const cell = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
    const want = type === 'float' ? 'a finite number' : 'a sequence of finite numbers';
    this.#fail(`${name} is "${cell}", but a ${type} must be ${want}; mend the row or leave the cell empty`);
  }

  #fail(message: string): never {
    throw new DataError(message, this.file, this.#line);
  }
}

interface Column extends HeaderField {
  readonly cells: Cells | null;
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
