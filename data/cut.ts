const NEWLINE = 10;
const RETURN = 13;
const ZERO = 48;
// Cells that are cut before any is read: what is noted of them stays in a core's second cache.
const BLOCK_CELLS = 1 << 14;
// The first block is small, and the next ones twice as large as the one before: what runs to its end a few times before
// it runs for long is compiled once, not thrown away and compiled again at every end that was not met before.
const FIRST_CELLS = 64;
const ONE = 49;
// Numbers of 9 digits fit 31 bits, and those of 10 that begin with 1: the seconds of timestamps until 2033.
const MOST_DIGITS = 10;

/** Rows of an atomic file, cut into cells: that of row r and column c is number r * columns + c. */
export interface CutRows {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  /** Where each cell begins, and where it ends: before a separator or the end of the line. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /**
   * The whole number that a cell is, if it is below 2,000,000,000 and written in the usual way: no sign, no zeros before
   * it. -1 for other cells; undefined where nobody reads the column.
   */
  readonly numbers: Int32Array;
}

/**
 * Cuts rows into cells, a block at a time, all columns in one pass over the bytes. Whole numbers, of which most cells of
 * most files are, come out of the same pass.
 */
export class Cutter {
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #numbers: Int32Array;
  #most = FIRST_CELLS;
  #rows = 0;
  #lines = 0;
  #oddColumn = -1;

  /** `isRead` says of each column whether anybody reads it: 1 or 0. */
  constructor(
    private readonly separator: number,
    private readonly isRead: Uint8Array,
  ) {
    const cells = BLOCK_CELLS + isRead.length;
    this.#starts = new Int32Array(cells);
    this.#ends = new Int32Array(cells);
    this.#numbers = new Int32Array(cells);
  }

  /** Lines of the last block, empty ones and a row with the wrong number of cells included. */
  get lines(): number {
    return this.#lines;
  }

  /** Where the row behind the last block has a cell too many, or one too few behind it; -1 if there is no such row. */
  get oddColumn(): number {
    return this.#oddColumn;
  }

  /** The last block. It stands until the next is cut. */
  block(bytes: Uint8Array): CutRows {
    return this.#rowsFrom(0, this.#rows, bytes);
  }

  /** The cells of the odd row as far as they were cut. */
  oddRow(bytes: Uint8Array): CutRows {
    return this.#rowsFrom(this.#rows, 1, bytes);
  }

  #rowsFrom(first: number, rows: number, bytes: Uint8Array): CutRows {
    const columns = this.isRead.length;
    const [from, to] = [first * columns, (first + rows) * columns];
    return {
      bytes,
      rows,
      columns,
      starts: this.#starts.subarray(from, to),
      ends: this.#ends.subarray(from, to),
      numbers: this.#numbers.subarray(from, to),
    };
  }

  /**
   * Cuts rows from `at` on, up to the end of `bytes`, which end in a newline, or until the block is full; returns where
   * the next line begins. Empty lines are left out. It ends at a row with the wrong number of cells.
   */
  cut(bytes: Uint8Array, at: number): number {
    const columns = this.isRead.length;
    const most = this.#most;
    let rows = 0;
    let lines = 0;
    this.#oddColumn = -1;
    for (let cell = 0; at < bytes.length && cell < most; lines++) {
      if (bytes[at] === NEWLINE) at++;
      else if (bytes[at] === RETURN && bytes[at + 1] === NEWLINE) at += 2;
      else {
        at = this.#cutRow(bytes, at, cell);
        if (this.#oddColumn >= 0) break;
        cell += columns;
        rows++;
      }
    }
    this.#rows = rows;
    this.#lines = lines;
    this.#most = Math.min(2 * most, BLOCK_CELLS);
    return at;
  }

  /** Cuts the row at `at`, whose first cell is number `cell`; returns where the next line begins. */
  #cutRow(bytes: Uint8Array, at: number, cell: number): number {
    const { separator, isRead } = this;
    const numbers = this.#numbers;
    const last = isRead.length - 1;
    for (let column = 0; ; column++, cell++, at++) {
      const start = at;
      this.#starts[cell] = start;
      let byte = bytes[at];
      if (isRead[column] === 1) {
        let number = 0;
        while ((byte - ZERO) >>> 0 < 10) {
          number = (Math.imul(number, 10) + byte - ZERO) | 0;
          byte = bytes[++at];
        }
        const digits = at - start;
        const isEnd = byte === NEWLINE || byte === separator;
        numbers[cell] = isEnd && isUsual(digits, bytes[start]) ? number : -1;
      }
      while (byte !== separator && byte !== NEWLINE) byte = bytes[++at];
      this.#ends[cell] = at;
      if (byte !== NEWLINE && column < last) continue;
      if (byte === NEWLINE && at > start && bytes[at - 1] === RETURN) this.#ends[cell]--;
      if (byte !== NEWLINE || column < last) this.#oddColumn = column;
      return at + 1;
    }
  }
}

/** Whether so many digits are a number that is taken, written in the usual way. */
function isUsual(digits: number, first: number): boolean {
  if (digits >= MOST_DIGITS) return digits === MOST_DIGITS && first === ONE;
  return digits > 1 ? first !== ZERO : digits === 1;
}
