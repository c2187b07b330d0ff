import { open, rename, type FileHandle } from 'node:fs/promises';
import { missingWords } from '../interner.js';
import { Distinct } from './distinct.js';
import { shown, type OutputColumn, type Reject, type Row, type Rows } from './row.js';

/** What a finished file holds. */
export interface TableSummary {
  readonly rows: number;
  readonly bytes: number;
  /** Distinct tokens of the columns that were counted. */
  readonly distinct: Readonly<Record<string, number>>;
}

/** What is to be written, and where. */
export interface TableTarget {
  readonly path: string;
  readonly columns: readonly OutputColumn[];
  /** Columns whose distinct tokens are counted. */
  readonly counted: readonly string[];
  readonly reject: Reject;
}

const WRITE_CHARACTERS = 1 << 20;
const decimal = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const separators = /[\t\r\n]+/g;

/**
 * Writes rows to an atomic file of RecBole. It is written beside `path` and renamed once it is whole and on the disk, so
 * that under its name there is never half a file. Throws DataError from `reject`, and the system's errors.
 */
export async function writeTable(rows: Rows, target: TableTarget): Promise<TableSummary> {
  const draft = `${target.path}.part`;
  const file = await open(draft, 'w');
  let summary: TableSummary;
  try {
    summary = await writeRows(rows, target, file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, target.path);
  return summary;
}

async function writeRows(rows: Rows, target: TableTarget, file: FileHandle): Promise<TableSummary> {
  const { columns, counted } = target;
  const counts = counted.map((name) => {
    return { name, column: columns.findIndex((column) => column.name === name), tokens: new Distinct() };
  });
  let text = `${columns.map(({ name, type }) => `${name}:${type}`).join('\t')}\n`;
  let written = 0;
  const flush = async () => {
    await file.writeFile(text);
    text = '';
  };
  for await (const piece of rows) {
    for (const row of piece) {
      const cells = checkedCells(row, target);
      if (cells === null) continue;
      for (const { column, tokens } of counts) tokens.add(cells[column]);
      text += `${cells.join('\t')}\n`;
      written++;
    }
    if (text.length >= WRITE_CHARACTERS) await flush();
  }
  await flush();
  const distinct = Object.fromEntries(counts.map(({ name, tokens }) => [name, tokens.size]));
  return { rows: written, bytes: (await file.stat()).size, distinct };
}

/** The cells as the loader will read them; null for a row that went to `reject`. */
function checkedCells({ line, cells }: Row, { columns, reject }: TableTarget): readonly string[] | null {
  const checked: string[] = [];
  for (let i = 0; i < columns.length; i++) {
    const cell = cells[i].replace(separators, ' ').trim();
    const { name, type, required } = columns[i];
    if (cell === '' && required === true) {
      reject(line, `no ${name}`);
      return null;
    }
    if (type === 'float' && cell !== '' && !decimal.test(cell) && !missingWords.includes(cell)) {
      reject(line, `${name} is ${shown(cell)}, which is no number`);
      return null;
    }
    checked.push(cell);
  }
  return checked;
}
