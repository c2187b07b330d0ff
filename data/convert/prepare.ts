import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import type { Archive } from './archive.js';
import { lockFolder } from './lock.js';
import {
  MANIFEST,
  readManifest,
  sameOrigin,
  syncPath,
  writeManifest,
  type FinishedTable,
  type Manifest,
  type Origin,
} from './manifest.js';
import type { Plan, PlannedTable } from './plan.js';
import type { OutputColumn, Reject } from './row.js';
import { writeTable } from './table_file.js';

/** What becomes of rows that cannot be used. */
export type BadRows = 'stop' | 'skip';

/** A set to be made. */
export interface PrepareRequest {
  readonly name: string;
  readonly dataPath: string;
  readonly archive: Archive;
  readonly plan: Plan;
  readonly badRows: BadRows;
  /** What else decides what is written. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Small files that belong to the set, by name. */
  readonly extras?: Readonly<Record<string, string>>;
  readonly note: (line: string) => void;
  /** Called now and then while a file is read: its name, the share that is done. */
  readonly progress: (file: string, share: number) => void;
}

/** A set that is there in full. */
export interface Prepared {
  readonly folder: string;
  readonly manifest: Manifest;
  /** False if it was there already, from the same origin. */
  readonly made: boolean;
}

const MOST_NOTED = 5;

/**
 * Makes a data set in `dataPath`/name. Its files are made in a folder beside it, each complete or not there, which is
 * renamed at the end: so a set is there in full or not at all, and what was finished before an interruption is kept.
 * Throws DataError with file and line, and the system's errors.
 */
export async function prepareSet(request: PrepareRequest): Promise<Prepared> {
  const { name, dataPath, note } = request;
  const [folder, draft] = [join(dataPath, name), join(dataPath, `.${name}.preparing`)];
  const origin = originOf(request);
  const there = await prepared(folder, origin);
  if (there !== null) return { folder, manifest: there, made: false };
  await mkdir(draft, { recursive: true });
  const unlock = await lockFolder(draft);
  try {
    let manifest = await resumed(draft, origin, note);
    await writeManifest(draft, manifest);
    for (const table of request.plan.tables) {
      const done = manifest.tables[table.source];
      if (done !== undefined) note(`${done.file}: finished before, kept`);
      const finished = done ?? (await makeTable(table, draft, request));
      manifest = { ...manifest, tables: { ...manifest.tables, [table.source]: finished } };
      if (done === undefined) await writeManifest(draft, manifest);
    }
    for (const [file, text] of Object.entries(request.extras ?? {})) await writeFile(join(draft, file), text);
    await unlock();
    await publish(draft, folder);
    return { folder, manifest, made: true };
  } finally {
    await unlock();
  }
}

function originOf({ name, archive, plan, badRows, settings }: PrepareRequest): Origin {
  const members = plan.tables.map(({ member }) => ({ ...member }));
  return {
    version: 1,
    name,
    form: plan.form,
    from: archive.path,
    members,
    settings: { badRows, ...settings },
  };
}

/** The manifest of the set if it is there already; throws DataError if something else is. */
async function prepared(folder: string, origin: Origin): Promise<Manifest | null> {
  if (!existsSync(folder)) return null;
  const manifest = await readManifest(folder);
  if (manifest !== null && sameOrigin(manifest.origin, origin)) return manifest;
  const whence =
    manifest === null ? 'it is there already' : `it is there already, made from ${manifest.origin.from}`;
  throw new DataError(`${whence}, and is not overwritten; remove it, or choose another --data_path`, folder);
}

/** What an interrupted run has finished; everything else in the folder is removed. */
async function resumed(draft: string, origin: Origin, note: (line: string) => void): Promise<Manifest> {
  const before = await readManifest(draft);
  const isSame = before !== null && sameOrigin(before.origin, origin);
  if (before !== null && !isSame)
    note(`${draft}: was begun from ${before.origin.from}, otherwise; begins anew`);
  const whole = isSame ? await wholeTables(draft, before) : [];
  const kept = new Set([MANIFEST, 'lock', ...whole.map(([, { file }]) => file)]);
  for (const file of await readdir(draft))
    if (!kept.has(file)) await rm(join(draft, file), { recursive: true });
  return { origin, tables: Object.fromEntries(whole) };
}

async function wholeTables(draft: string, { tables }: Manifest): Promise<[string, FinishedTable][]> {
  const whole: [string, FinishedTable][] = [];
  for (const [source, table] of Object.entries(tables)) {
    const found = await stat(join(draft, table.file)).catch(() => null);
    if (found?.size === table.bytes) whole.push([source, table]);
  }
  return whole;
}

async function makeTable(
  table: PlannedTable,
  draft: string,
  request: PrepareRequest,
): Promise<FinishedTable> {
  const { archive, name, progress } = request;
  const file = `${name}.${table.source}`;
  const label = archive.label(table.member);
  const rejects = rejecting(label, request);
  const opened = archive.open(table.member);
  const bytes = watched(opened.bytes, () => progress(file, opened.progress()));
  const { columns, rows } = await table.read({ file: label, bytes, reject: rejects.reject });
  const target = { path: join(draft, file), columns, counted: countedOf(columns), reject: rejects.reject };
  const summary = await writeTable(rows, target);
  await syncPath(draft);
  rejects.close();
  if (summary.rows === 0) throw new DataError('has no row that can be used', label);
  return { file, ...summary, rejected: rejects.count() };
}

const countedOf = (columns: readonly OutputColumn[]) =>
  columns.map(({ name }) => name).filter((name) => name === 'user_id' || name === 'item_id');

async function* watched(bytes: AsyncIterable<Uint8Array>, seen: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    yield chunk;
    seen();
  }
}

/** Stops at the first bad row, or notes the first few and counts all. */
function rejecting(label: string, { badRows, note }: PrepareRequest) {
  let count = 0;
  const reject: Reject = (line, message) => {
    if (badRows === 'stop') {
      throw new DataError(
        `${message}; mend the row, or leave such rows out with --bad_rows=skip`,
        label,
        line,
      );
    }
    count++;
    if (count <= MOST_NOTED) note(`warning: ${label}:${line}: ${message}; left out`);
  };
  const close = () => {
    if (count > MOST_NOTED)
      note(`warning: ${label}: ${count.toLocaleString('en-US')} such rows left out in all`);
  };
  return { reject, close, count: () => count };
}

async function publish(draft: string, folder: string): Promise<void> {
  await syncPath(draft);
  try {
    await rename(draft, folder);
  } catch (error) {
    // A folder with files in it is never replaced: someone else was faster.
    if (!existsSync(folder)) throw error;
    throw new DataError(
      'it has come into being meanwhile, and is not overwritten; remove it and repeat',
      folder,
    );
  }
}
