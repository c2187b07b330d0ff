import { CsvError, parse } from 'csv-parse/sync';
import { linesOf } from './lines.js';
import { shown, type Input, type Row } from './row.js';

/** How cells stand in a line. */
export interface Delimited {
  readonly delimiter: string;
  /** Cells may be quoted as in CSV, over several lines too; without it quotes are ordinary characters. */
  readonly quotes: boolean;
  readonly encoding?: 'utf8' | 'latin1';
}

// A cell quoted over more lines than this is rather a quote that nobody closed.
const MOST_QUOTED_LINES = 1000;

/** Rows of a delimited text, empty lines left out; what cannot be read goes to `reject`. */
export async function* delimitedRows(
  { file, bytes, reject }: Input,
  { delimiter, quotes, encoding }: Delimited,
): AsyncGenerator<readonly Row[]> {
  const open = new OpenRecord(delimiter, reject);
  for await (const { first, texts } of linesOf(bytes, file, encoding)) {
    const rows: Row[] = [];
    texts.forEach((text, i) => {
      if (quotes && (open.started || text.includes('"'))) open.push(text, first + i, rows);
      else if (text !== '') rows.push({ line: first + i, cells: text.split(delimiter) });
    });
    yield rows;
  }
  open.end();
}

/** Lines with quotes, which may be but a part of a record; the parser of CSV sees these alone, for it takes longer. */
class OpenRecord {
  #lines: string[] = [];
  #first = 0;

  constructor(
    private readonly delimiter: string,
    private readonly reject: (line: number, message: string) => void,
  ) {}

  get started(): boolean {
    return this.#lines.length > 0;
  }

  /** Takes the next line; a record that is complete with it goes to `rows`. */
  push(text: string, line: number, rows: Row[]): void {
    if (!this.started) this.#first = line;
    this.#lines.push(text);
    // A line without a quote cannot close one.
    if (this.#lines.length > 1 && !text.includes('"') && this.#lines.length < MOST_QUOTED_LINES) return;
    const cells = this.#cells();
    if (cells === null) {
      if (this.#lines.length >= MOST_QUOTED_LINES) this.end();
      return;
    }
    this.#lines = [];
    if (typeof cells === 'string') this.reject(this.#first, cells);
    else rows.push({ line: this.#first, cells });
  }

  /** Nothing follows: what is still open is no record. */
  end(): void {
    if (!this.started) return;
    const [text] = this.#lines;
    this.#lines = [];
    this.reject(this.#first, `a quoted cell is never closed, in ${shown(text)}; close or double the quote`);
  }

  /** The cells; null if a quote is open; what is wrong as a text. */
  #cells(): readonly string[] | null | string {
    try {
      const text = this.#lines.join('\n');
      const records: unknown[] = parse(text, { delimiter: this.delimiter, relax_quotes: true });
      return (records[0] ?? ['']) as string[];
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      return error.code === 'CSV_QUOTE_NOT_CLOSED' ? null : `${error.message}; mend the row`;
    }
  }
}
