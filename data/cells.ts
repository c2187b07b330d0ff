import type { CutRows } from './cut.js';
import { isMissing, parseFloat64 } from './decimal.js';
import { grown, Interner } from './interner.js';
import type { FieldType } from './schema.js';

// Room that a column begins with.
const FIRST_CELLS = 1 << 10;

/** A column as it was read: ids count in order of appearance, nothing is filtered, filled or remapped. */
export type RawColumn = RawTokens | RawTokenSeq | RawFloats | RawFloatSeq;

/** id 0 is a missing cell. */
export interface RawTokens {
  readonly type: 'token';
  readonly ids: Uint32Array;
  readonly hasMissing: boolean;
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
  /** Takes the cells of `column`; returns the first row whose cell is no value of the column's type, or -1. */
  read(rows: CutRows, column: number): number;
  /** Makes room for so many cells beside those that are there. */
  reserve(cells: number): void;
  /** The column of all cells so far; the next cell begins a column anew. */
  take(): RawColumn;
}

/** What a column needs to know besides its type. */
export interface CellOptions {
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
      return new FloatCells();
    case 'float_seq':
      return new FloatSeqCells(options);
  }
}

class TokenCells implements Cells {
  #ids = new Uint32Array(FIRST_CELLS);
  #count = 0;
  #hasMissing = false;

  constructor(private readonly options: CellOptions) {}

  read(cut: CutRows, column: number): number {
    this.reserve(cut.rows);
    for (let row = 0; (row = this.#lookUp(cut, column, row)) < cut.rows; row++)
      this.#intern(cut, row, column);
    this.#count += cut.rows;
    return -1;
  }

  /**
   * Puts the ids of numbers that are known, from a row on; returns the first row whose cell is none. Interning is no part
   * of the loop that meets every cell, which is compiled the sooner.
   */
  #lookUp({ rows, columns, numbers }: CutRows, column: number, from: number): number {
    const [ids, known] = [this.#ids, this.options.tokens.numbers];
    let row = from;
    for (let cell = row * columns + column, at = this.#count + row; row < rows; row++, cell += columns) {
      const number = numbers[cell];
      if (number < 0 || number >= known.length || known[number] === 0) break;
      ids[at++] = known[number];
    }
    return row;
  }

  #intern({ bytes, columns, starts, ends, numbers }: CutRows, row: number, column: number): void {
    const { tokens } = this.options;
    const cell = row * columns + column;
    const [start, end, number] = [starts[cell], ends[cell], numbers[cell]];
    const id = start === end ? 0 : tokens.intern(bytes, start, end);
    if (number >= 0) tokens.know(number, id);
    const isMissing = id <= Interner.missing;
    this.#ids[this.#count + row] = isMissing ? 0 : id;
    if (isMissing) this.#hasMissing = true;
  }

  reserve(cells: number): void {
    this.#ids = grown(this.#ids, this.#count + cells);
  }

  take(): RawTokens {
    const ids = this.#ids.subarray(0, this.#count);
    const hasMissing = this.#hasMissing;
    this.#ids = new Uint32Array(FIRST_CELLS);
    this.#count = 0;
    this.#hasMissing = false;
    return { type: 'token', ids, hasMissing, tokens: this.options.tokens };
  }
}

class FloatCells implements Cells {
  #values = new Float64Array(FIRST_CELLS);
  #count = 0;

  read({ bytes, rows, columns, starts, ends, numbers }: CutRows, column: number): number {
    this.reserve(rows);
    const values = this.#values;
    let count = this.#count;
    for (let row = 0, cell = column; row < rows; row++, cell += columns) {
      const number = numbers[cell];
      const value = number >= 0 ? number : parseFloat64(bytes, starts[cell], ends[cell]);
      if (Number.isNaN(value) && !isMissing(bytes, starts[cell], ends[cell])) return row;
      values[count++] = value;
    }
    this.#count = count;
    return -1;
  }

  reserve(cells: number): void {
    this.#values = grown(this.#values, this.#count + cells);
  }

  take(): RawFloats {
    const values = this.#values.subarray(0, this.#count);
    this.#values = new Float64Array(FIRST_CELLS);
    this.#count = 0;
    return { type: 'float', values };
  }
}

/** Where the rows of a sequence column begin and end. */
class RowOffsets {
  #offsets = new Uint32Array(FIRST_CELLS);
  #rows = 0;

  reserve(rows: number): void {
    this.#offsets = grown(this.#offsets, this.#rows + rows + 1);
  }

  push(offset: number): void {
    this.#offsets[++this.#rows] = offset;
  }

  take(): Uint32Array {
    const offsets = this.#offsets.subarray(0, this.#rows + 1);
    this.#offsets = new Uint32Array(FIRST_CELLS);
    this.#rows = 0;
    return offsets;
  }
}

class TokenSeqCells implements Cells {
  #ids = new Uint32Array(FIRST_CELLS);
  #count = 0;
  readonly #offsets = new RowOffsets();

  constructor(private readonly options: CellOptions) {}

  read({ bytes, rows, columns, starts, ends }: CutRows, column: number): number {
    this.reserve(rows);
    for (let row = 0, cell = column; row < rows; row++, cell += columns) {
      this.#readCell(bytes, starts[cell], ends[cell]);
      this.#offsets.push(this.#count);
    }
    return -1;
  }

  #readCell(bytes: Uint8Array, start: number, end: number): void {
    const { tokens, seqSeparator, seqLen } = this.options;
    const most = this.#count + seqLen;
    for (let at = start; at < end && this.#count < most; at++) {
      const from = at;
      while (at < end && bytes[at] !== seqSeparator) at++;
      if (at === from) continue;
      const id = tokens.intern(bytes, from, at);
      // A word for a missing cell is one only if it is the whole cell.
      if (id > Interner.missing || at - from < end - start) this.#append(id);
    }
  }

  #append(id: number): void {
    if (this.#count === this.#ids.length) this.#ids = grown(this.#ids, this.#count + 1);
    this.#ids[this.#count++] = id;
  }

  reserve(cells: number): void {
    this.#offsets.reserve(cells);
  }

  take(): RawTokenSeq {
    const ids = this.#ids.subarray(0, this.#count);
    this.#ids = new Uint32Array(FIRST_CELLS);
    this.#count = 0;
    return { type: 'token_seq', ids, offsets: this.#offsets.take(), tokens: this.options.tokens };
  }
}

class FloatSeqCells implements Cells {
  #values = new Float64Array(FIRST_CELLS);
  #count = 0;
  readonly #offsets = new RowOffsets();

  constructor(private readonly options: CellOptions) {}

  read({ bytes, rows, columns, starts, ends }: CutRows, column: number): number {
    this.reserve(rows);
    for (let row = 0, cell = column; row < rows; row++, cell += columns) {
      if (!this.#readCell(bytes, starts[cell], ends[cell])) return row;
      this.#offsets.push(this.#count);
    }
    return -1;
  }

  /** Whether the cell holds numbers only. */
  #readCell(bytes: Uint8Array, start: number, end: number): boolean {
    const { seqSeparator, seqLen } = this.options;
    const most = this.#count + seqLen;
    for (let at = start; at < end; at++) {
      const from = at;
      while (at < end && bytes[at] !== seqSeparator) at++;
      if (at === from) continue;
      const value = parseFloat64(bytes, from, at);
      if (Number.isNaN(value)) return isMissing(bytes, start, end);
      if (this.#count < most) this.#append(value);
    }
    return true;
  }

  #append(value: number): void {
    if (this.#count === this.#values.length) this.#values = grown(this.#values, this.#count + 1);
    this.#values[this.#count++] = value;
  }

  reserve(cells: number): void {
    this.#offsets.reserve(cells);
  }

  take(): RawFloatSeq {
    const values = this.#values.subarray(0, this.#count);
    this.#values = new Float64Array(FIRST_CELLS);
    this.#count = 0;
    return { type: 'float_seq', values, offsets: this.#offsets.take() };
  }
}
