import { isMissing, parseFloat64 } from './decimal.js';
import { grown, hashByte, hashSeed, Interner } from './interner.js';
import type { FieldType } from './schema.js';

const NEWLINE = 10;
const RETURN = 13;
const ZERO = 48;

/** A column as it was read: ids count in order of appearance, nothing is filtered, filled or remapped. */
export type RawColumn = RawTokens | RawTokenSeq | RawFloats | RawFloatSeq;

/** id 0 is a missing cell. */
export interface RawTokens {
  readonly type: 'token';
  readonly ids: Uint32Array;
  readonly tokens: Interner;
}

/** Row r holds ids[offsets[r] .. offsets[r + 1]]. */
export interface RawTokenSeq {
  readonly type: 'token_seq';
  readonly ids: Uint32Array;
  readonly offsets: Uint32Array;
  readonly tokens: Interner;
}

/** NaN is a missing cell. */
export interface RawFloats {
  readonly type: 'float';
  readonly values: Float64Array;
}

/** Row r holds values[offsets[r] .. offsets[r + 1]]. */
export interface RawFloatSeq {
  readonly type: 'float_seq';
  readonly values: Float64Array;
  readonly offsets: Uint32Array;
}

/** Loaded columns of equal length, in the order of their file. */
export interface RawTable {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, RawColumn>;
}

/** Takes the cells of one column, in order. */
export interface Cells {
  /**
   * Reads the cell that begins at `start`; returns where it ends, at a separator or a newline, or -1 if it is no value
   * of the column's type. A newline must follow somewhere.
   */
  read(bytes: Uint8Array, start: number): number;
  /** The column of all cells so far; the next cell begins a column anew. */
  take(): RawColumn;
}

/** What a column needs to know besides its type. */
export interface CellOptions {
  /** Byte between columns. */
  readonly separator: number;
  /** Of token types: the ids that the column shares with others. */
  readonly tokens: Interner;
  /** Byte between the items of a sequence. */
  readonly seqSeparator: number;
  /** Most items of a sequence; the rest is cut off and leaves no trace. */
  readonly seqLen: number;
}

/** A reader of cells of the given type. */
export function cellsOf(type: FieldType, options: CellOptions): Cells {
  switch (type) {
    case 'token':
      return new TokenCells(options);
    case 'token_seq':
      return new TokenSeqCells(options);
    case 'float':
      return new FloatCells(options);
    case 'float_seq':
      return new FloatSeqCells(options);
  }
}

/** Where the cell that begins at `start` ends: at a separator or a newline. */
export function cellEnd(bytes: Uint8Array, start: number, separator: number): number {
  let end = start;
  for (let byte = bytes[end]; byte !== separator && byte !== NEWLINE; byte = bytes[end]) end++;
  return end;
}

/** `end`, or one less where the line ends in \r\n. */
export function textEnd(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end] === NEWLINE && bytes[end - 1] === RETURN ? end - 1 : end;
}

/** Digits that are the usual way to write a number for which interners have a short way. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  const digits = end - start;
  return digits > 0 && digits <= Interner.digits && (bytes[start] !== ZERO || digits === 1);
}

class TokenCells implements Cells {
  #ids = new Uint32Array(1 << 10);
  #count = 0;

  constructor(private readonly options: CellOptions) {}

  read(bytes: Uint8Array, start: number): number {
    const { separator, tokens } = this.options;
    if (this.#count === this.#ids.length) this.#ids = grown(this.#ids, this.#count + 1);
    let end = start;
    let number = 0;
    for (let digit = bytes[end] - 48; digit >= 0 && digit <= 9; digit = bytes[++end] - 48) {
      number = number * 10 + digit;
    }
    if ((bytes[end] === separator || bytes[end] === NEWLINE) && isPlain(bytes, start, end)) {
      this.#ids[this.#count++] = tokens.internNumber(number, bytes, start, end);
      return end;
    }
    let hash = hashSeed;
    end = start;
    for (let byte = bytes[end]; byte !== separator && byte !== NEWLINE; byte = bytes[++end]) {
      hash = hashByte(hash, byte);
    }
    this.#ids[this.#count++] = this.#id(bytes, start, end, hash);
    return end;
  }

  #id(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const stop = textEnd(bytes, start, end);
    if (stop === start) return 0;
    const { tokens } = this.options;
    const id =
      stop === end ? tokens.internHashed(hash, bytes, start, end) : tokens.intern(bytes, start, stop);
    return id <= Interner.missing ? 0 : id;
  }

  take(): RawTokens {
    const ids = this.#ids.slice(0, this.#count);
    this.#count = 0;
    return { type: 'token', ids, tokens: this.options.tokens };
  }
}

class FloatCells implements Cells {
  #values = new Float64Array(1 << 10);
  #count = 0;

  constructor(private readonly options: CellOptions) {}

  read(bytes: Uint8Array, start: number): number {
    const { separator } = this.options;
    let end = start;
    let value = 0;
    for (let digit = bytes[end] - 48; digit >= 0 && digit <= 9; digit = bytes[++end] - 48) {
      value = value * 10 + digit;
    }
    // Whole numbers of up to 15 digits are exact; everything else takes the longer way.
    const isWhole = (bytes[end] === separator || bytes[end] === NEWLINE) && end - start <= 15;
    if (!isWhole || end === start) {
      end = cellEnd(bytes, start, separator);
      const stop = textEnd(bytes, start, end);
      value = parseFloat64(bytes, start, stop);
      if (Number.isNaN(value) && !isMissing(bytes, start, stop)) return -1;
    }
    if (this.#count === this.#values.length) this.#values = grown(this.#values, this.#count + 1);
    this.#values[this.#count++] = value;
    return end;
  }

  take(): RawFloats {
    const values = this.#values.slice(0, this.#count);
    this.#count = 0;
    return { type: 'float', values };
  }
}

/** Where the rows of a sequence column begin and end. */
class RowOffsets {
  #offsets = new Uint32Array(1 << 10);
  #rows = 0;

  push(offset: number): void {
    this.#offsets = grown(this.#offsets, ++this.#rows + 1);
    this.#offsets[this.#rows] = offset;
  }

  take(): Uint32Array {
    const offsets = this.#offsets.slice(0, this.#rows + 1);
    this.#rows = 0;
    return offsets;
  }
}

class TokenSeqCells implements Cells {
  #ids = new Uint32Array(1 << 10);
  #count = 0;
  readonly #offsets = new RowOffsets();

  constructor(private readonly options: CellOptions) {}

  read(bytes: Uint8Array, start: number): number {
    const { tokens, separator, seqSeparator, seqLen } = this.options;
    const end = cellEnd(bytes, start, separator);
    const stop = textEnd(bytes, start, end);
    const most = this.#count + seqLen;
    for (let at = start; at < stop && this.#count < most; at++) {
      const from = at;
      while (at < stop && bytes[at] !== seqSeparator) at++;
      if (at === from) continue;
      const id = tokens.intern(bytes, from, at);
      // A word for a missing cell is one only if it is the whole cell.
      if (id > Interner.missing || at - from < stop - start) this.#append(id);
    }
    this.#offsets.push(this.#count);
    return end;
  }

  #append(id: number): void {
    if (this.#count === this.#ids.length) this.#ids = grown(this.#ids, this.#count + 1);
    this.#ids[this.#count++] = id;
  }

  take(): RawTokenSeq {
    const ids = this.#ids.slice(0, this.#count);
    this.#count = 0;
    return { type: 'token_seq', ids, offsets: this.#offsets.take(), tokens: this.options.tokens };
  }
}

class FloatSeqCells implements Cells {
  #values = new Float64Array(1 << 10);
  #count = 0;
  readonly #offsets = new RowOffsets();

  constructor(private readonly options: CellOptions) {}

  read(bytes: Uint8Array, start: number): number {
    const { separator, seqSeparator, seqLen } = this.options;
    const end = cellEnd(bytes, start, separator);
    const stop = textEnd(bytes, start, end);
    const most = this.#count + seqLen;
    for (let at = start; at < stop; at++) {
      const from = at;
      while (at < stop && bytes[at] !== seqSeparator) at++;
      if (at === from) continue;
      const value = parseFloat64(bytes, from, at);
      if (Number.isNaN(value) && !isMissing(bytes, start, stop)) return -1;
      if (Number.isNaN(value)) break;
      if (this.#count < most) this.#append(value);
    }
    this.#offsets.push(this.#count);
    return end;
  }

  #append(value: number): void {
    if (this.#count === this.#values.length) this.#values = grown(this.#values, this.#count + 1);
    this.#values[this.#count++] = value;
  }

  take(): RawFloatSeq {
    const values = this.#values.slice(0, this.#count);
    this.#count = 0;
    return { type: 'float_seq', values, offsets: this.#offsets.take() };
  }
}
