import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DamagedCache, readDataset, writeDataset } from './cache_file.js';
import type { Note } from './filter.js';
import { atomicFiles } from './load.js';
import { dataOptionTable, type DataOptions } from './options.js';
import type { Dataset } from './schema.js';

// They are applied after loading, or say where the cache is.
const withoutEffect: ReadonlySet<string> = new Set([
  'eval_args',
  'seed',
  'save_dataset',
  'dataset_save_path',
]);

/**
 * The data set from its cache file if that was made with these options from these files as they are, else from `build`.
 * With save_dataset what was built is kept for the next time. A stale or damaged file is passed over with a note; so
 * is one that cannot be written.
 */
export async function cachedDataset(
  options: DataOptions,
  build: () => Promise<Dataset>,
  note: Note,
): Promise<Dataset> {
  const file = cacheFile(options);
  const identity = await identityOf(options);
  const cached = await readCache(file, identity, note);
  if (cached !== null) return cached;
  const dataset = await build();
  if (options.save_dataset) await writeCache(file, identity, dataset, note);
  return dataset;
}

/** Where the processed data set is kept: dataset_save_path, or a name that follows from the options. */
export function cacheFile(options: DataOptions): string {
  const key = createHash('sha256').update(optionsText(options)).digest('hex').slice(0, 16);
  return options.dataset_save_path ?? join('saved', `${options.dataset}-${key}.dataset`);
}

/** The options that decide what the data set becomes. */
function optionsText(options: DataOptions): string {
  const names = (Object.keys(dataOptionTable) as (keyof DataOptions)[]).filter(
    (name) => !withoutEffect.has(name),
  );
  return JSON.stringify(names.map((name) => [name, options[name]]));
}

/** The options, and the path, size and time of every file: what a data set is made of. */
async function identityOf(options: DataOptions): Promise<string> {
  const { inter, user, item } = atomicFiles(options);
  const files = [...inter, user, item].filter((file) => file !== null);
  const prints = files.map(async (file) => {
    const { size, mtimeNs } = await stat(file, { bigint: true });
    return `${resolve(file)} ${size} ${mtimeNs}`;
  });
  return [optionsText(options), ...(await Promise.all(prints))].join('\n');
}

async function readCache(file: string, identity: string, note: Note): Promise<Dataset | null> {
  try {
    const dataset = await readDataset(file, identity);
    note(
      dataset === null
        ? `${file}: made with other options or from other files; reading the atomic files`
        : `${file}: the processed data set of an earlier run`,
    );
    return dataset;
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    if (!(error instanceof DamagedCache || isSystemError(error))) throw error;
    note(`${file}: unusable, ${error.message}; reading the atomic files`);
    return null;
  }
}

async function writeCache(file: string, identity: string, dataset: Dataset, note: Note): Promise<void> {
  try {
    await writeDataset(file, identity, dataset);
    note(`${file}: keeps the processed data set`);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note(`${file}: cannot be written, ${error.message}; the next run reads the atomic files again`);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
