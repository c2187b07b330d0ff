import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataset } from '../../data/dataset.js';
import { defaultDataOptions, type DataOptions } from '../../data/options.js';
import type { Column, Dataset, Table } from '../../data/schema.js';

/** Files of a data set by what follows its name: 'inter', 'train.inter'. Lines by newline, columns by comma. */
export type Files = Readonly<Record<string, string>>;

const root = mkdtempSync(join(tmpdir(), 'ctr-data-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** An empty folder that is removed when the process ends. */
export function temporaryFolder(): string {
  return mkdtempSync(join(root, 'a-'));
}

/** Writes the files as data set `toy` and returns the options that load all of it. */
export function toyOptions(files: Files, options: Partial<DataOptions> = {}): DataOptions {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'toy'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, 'toy', `toy.${name}`), table(text));
  }
  return { ...defaultDataOptions, data_path: folder, dataset: 'toy', ...options };
}

/** Loads the files as data set `toy`; `notes` collects what loading has to say. */
export function loadToy(
  files: Files,
  options: Partial<DataOptions> = {},
  notes: string[] = [],
): Promise<Dataset> {
  return loadDataset(toyOptions(files, options), (note) => notes.push(note));
}

/** The text of an atomic file: indentation goes, commas become tabs. */
export function table(text: string): string {
  const lines = text.trim().split('\n');
  return lines.map((line) => `${line.trim().replaceAll(',', '\t')}\n`).join('');
}

/** The numbers of a column, sequences without their padding. */
export function cellsOf(from: Table | null, field: string): (number | number[])[] {
  const column = from?.columns.get(field);
  if (column === undefined) throw new Error(`no column ${field}`);
  return 'maxLength' in column ? sequencesOf(column) : [...numbersOf(column)];
}

/** The tokens of a column, by the data set's vocabulary. */
export function tokensOf(
  { vocabularies }: Dataset,
  from: Table | null,
  field: string,
): (string | string[])[] {
  const tokens = vocabularies.get(field) ?? [];
  return cellsOf(from, field).map((cell) =>
    Array.isArray(cell) ? cell.map((id) => tokens[id]) : tokens[cell],
  );
}

/** What a promise is rejected with, as text; fails if it is not. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
    throw error;
  }
  throw new Error('it did not fail');
}

function numbersOf(column: Column): Uint32Array | Float32Array {
  return 'ids' in column ? column.ids : column.values;
}

function sequencesOf(column: Column & { readonly maxLength: number }): number[][] {
  const numbers = numbersOf(column);
  const rows = numbers.length / column.maxLength;
  return Array.from({ length: rows }, (_, row) =>
    [...numbers.subarray(row * column.maxLength, (row + 1) * column.maxLength)].filter((one) => one !== 0),
  );
}
