import type { FieldType } from '../schema.js';

/** One row on its way to an atomic file: its cells as text, '' where one is missing. */
export interface Row {
  /** Where it came from, 1-based. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows a piece of a file at a time, so that a file of any length passes in the memory of a piece. */
export type Rows = AsyncIterable<readonly Row[]>;

/** A column of an atomic file. */
export interface OutputColumn {
  readonly name: string;
  readonly type: FieldType;
  /** A row without it is no row. */
  readonly required?: boolean;
  /** An archive may lack it, for nothing that the paper does needs it. */
  readonly optional?: boolean;
}

/** A column of ids that every row has. */
export const ids = (name: string): OutputColumn => ({ name, type: 'token', required: true });

/** The columns of the .inter file of every published set. */
export const ratingColumns: readonly OutputColumn[] = [
  ids('user_id'),
  ids('item_id'),
  { name: 'rating', type: 'float', required: true },
  { name: 'timestamp', type: 'float', optional: true },
];

/** What becomes of a row that cannot be used: throws DataError, or takes note of it. */
export type Reject = (line: number, message: string) => void;

/** Bytes of one file, decompressed, and how messages name it. */
export interface Input {
  readonly file: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly reject: Reject;
}

const SHOWN_CHARACTERS = 60;

/** A cell or line for messages, cut to a length that leaves the message readable. */
export function shown(text: string): string {
  return `"${text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text}"`;
}

/** Each row through `map`; rows for which it gives null are left out. */
export async function* mapRows(
  rows: Rows,
  map: (row: Row) => readonly string[] | null,
): AsyncGenerator<readonly Row[]> {
  for await (const piece of rows) {
    const mapped: Row[] = [];
    for (const row of piece) {
      const cells = map(row);
      if (cells !== null) mapped.push({ line: row.line, cells });
    }
    yield mapped;
  }
}
