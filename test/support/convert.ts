import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Input, Row, Rows } from '../../data/convert/row.js';

/** Bytes in pieces of `size`, so that pieces end within lines and characters. */
export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A text as an input, its rejected rows kept. */
export function inputOf(text: string, size = 5): Input & { readonly rejected: string[] } {
  const rejected: string[] = [];
  const reject = (line: number, message: string) => void rejected.push(`${line}: ${message}`);
  return { file: 'a.txt', bytes: pieces(Buffer.from(text), size), reject, rejected };
}

/** All rows, one after the other. */
export async function all(rows: Rows): Promise<Row[]> {
  const list: Row[] = [];
  for await (const piece of rows) list.push(...piece);
  return list;
}

/** Name and message of what `work` throws. */
export async function thrown(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'nothing';
}

/** Runs `body` in a folder that is removed afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'convert-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
