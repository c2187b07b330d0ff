import { readFile, writeFile, rename, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FieldSource } from '../schema.js';
import type { TableSummary } from './table_file.js';

/** The file that says what a prepared set was made from; while it is made, what is done of it. */
export const MANIFEST = 'prepared.json';

/** A finished file of a set. */
export interface FinishedTable extends TableSummary {
  readonly file: string;
  /** Rows left out because they could not be used. */
  readonly rejected: number;
}

/** What a set was made from, and how. Equal origins make equal sets. */
export interface Origin {
  /** Another number means another way to convert. */
  readonly version: 1;
  readonly name: string;
  readonly form: string;
  readonly from: string;
  readonly members: readonly { readonly name: string; readonly bytes: number; readonly stamp: string }[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Origin and finished files of a set. */
export interface Manifest {
  readonly origin: Origin;
  readonly tables: Readonly<Partial<Record<FieldSource, FinishedTable>>>;
}

/** True if both would give the same files. The path does not matter: archives may be moved. */
export function sameOrigin(a: Origin, b: Origin): boolean {
  return JSON.stringify({ ...a, from: '' }) === JSON.stringify({ ...b, from: '' });
}

/** The manifest of a folder; null if there is none that can be read. */
export async function readManifest(folder: string): Promise<Manifest | null> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Manifest;
    return manifest.origin?.version === 1 && typeof manifest.tables === 'object' ? manifest : null;
  } catch {
    // None, or half of one: then nothing is known, and everything is made anew.
    return null;
  }
}

/** Replaces the manifest of a folder. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const draft = join(folder, `${MANIFEST}.part`);
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  await syncPath(draft);
  await rename(draft, join(folder, MANIFEST));
}

/** Brings a file, or the names in a folder, to the disk; Windows cannot open folders and needs no such call. */
export async function syncPath(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
