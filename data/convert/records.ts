import { linesOf } from './lines.js';
import { isObject, parsePython, type Json } from './python.js';
import { shown, type Input, type Row } from './row.js';

/** One object of a file of JSON lines. */
export type Entry = { readonly [key: string]: Json };

/** The text of a cell: lists are joined by `separator`, nothing is ''. */
export function cellText(value: Json | undefined, separator = ' '): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((one) => cellText(one, separator)).join(separator);
  return isObject(value) ? JSON.stringify(value) : String(value);
}

/**
 * Rows made of JSON lines, or of lines with Python dictionaries. `cells` throws SyntaxError on an object that makes no
 * row, which goes to `reject` like a line that is no object.
 */
export async function* entryRows(
  { file, bytes, reject }: Input,
  cells: (entry: Entry, line: number) => readonly string[],
): AsyncGenerator<readonly Row[]> {
  for await (const { first, texts } of linesOf(bytes, file)) {
    const rows: Row[] = [];
    texts.forEach((text, i) => {
      if (text.trim() === '') return;
      try {
        rows.push({ line: first + i, cells: cells(entryOf(text), first + i) });
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        reject(first + i, error.message);
      }
    });
    yield rows;
  }
}

function entryOf(text: string): Entry {
  const value = parsed(text);
  if (!isObject(value)) throw new SyntaxError(`${shown(text)} is no object; want one {…} a line`);
  return value;
}

/** No JSON, and an error thrown for each of two million lines takes its time. */
const pythonQuote = /^\s*\{\s*'/;

function parsed(text: string): Json {
  try {
    if (!pythonQuote.test(text)) return JSON.parse(text) as Json;
  } catch {
    // Not JSON: perhaps Python's way to write it, else that parser says what is wrong.
  }
  try {
    return parsePython(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(`${shown(text)} is neither JSON nor a Python dictionary: ${why}`);
  }
}
