import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './errors.js';
import type { FieldSource } from './schema.js';
import { synthesize } from './synthetic/generate.js';
import { syntheticSpec } from './synthetic/presets.js';
import { propertyText } from './synthetic/properties.js';
import type { SyntheticSpec } from './synthetic/spec.js';

export { synthesize, type SyntheticChunk } from './synthetic/generate.js';
export { likes, syntheticSpec, type SyntheticOptions } from './synthetic/presets.js';
export type { Like, SyntheticSpec } from './synthetic/spec.js';

/** The file that marks a directory as made, with the size and seed it was made of. */
export const SYNTHETIC_MARK = 'synthetic.json';

/**
 * Writes the set to `dataPath`/name and returns that directory. The files are made in a directory beside it that is
 * renamed at the end, so a set is there in full or not at all. Throws DataError if the directory is there already.
 */
export async function writeSynthetic(spec: SyntheticSpec, dataPath: string): Promise<string> {
  const target = join(dataPath, spec.name);
  if (existsSync(target)) throw alreadyThere(target);
  const draft = join(dataPath, `.${spec.name}.${randomBytes(6).toString('hex')}.tmp`);
  await makeFolder(dataPath);
  await mkdir(draft);
  try {
    await writeFiles(spec, draft);
    await publish(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

/**
 * Makes the set `sample` in `dataPath` if it is not there; true if it was made. Of several processes that do so at
 * once one wins, and all find the same files.
 */
export async function ensureSample(dataPath: string): Promise<boolean> {
  const spec = syntheticSpec();
  const isThere = () => existsSync(join(dataPath, spec.name, `${spec.name}.inter`));
  if (isThere()) return false;
  try {
    await writeSynthetic(spec, dataPath);
    return true;
  } catch (error) {
    if (error instanceof DataError && isThere()) return false;
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new DataError(`${path}: is a file, want a folder for data sets; choose another path`);
  }
}

async function writeFiles(spec: SyntheticSpec, directory: string): Promise<void> {
  const files = new Map<FieldSource, FileHandle>();
  try {
    for (const { source, text } of synthesize(spec)) {
      const file = files.get(source) ?? (await open(join(directory, `${spec.name}.${source}`), 'wx'));
      files.set(source, file);
      await file.writeFile(text, 'latin1');
    }
  } finally {
    await Promise.all([...files.values()].map((file) => file.close()));
  }
  const { name, like, seed, users, items, interactions } = spec;
  const mark = { note: 'invented data, not a public data set', name, like, seed, users, items, interactions };
  await writeFile(join(directory, SYNTHETIC_MARK), `${JSON.stringify(mark, null, 2)}\n`);
  // The program's own property file is found by name; under another name the set brings its settings along.
  if (name !== like) await writeFile(join(directory, `${name}.yaml`), propertyText(spec));
}

async function publish(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (error) {
    // A directory with files in it is never replaced: someone else was faster.
    if (existsSync(target)) throw alreadyThere(target);
    throw error;
  }
}

const alreadyThere = (target: string): DataError =>
  new DataError(`${target}: it is there already and is not overwritten; remove it or choose another --name`);
