import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, isSystemError } from '../errors.js';
import { atomicWrite } from '../files.js';

/** The file beside a checkpoint that keeps the results of all rankings with it. */
export const recordPath = (checkpoint: string): string => join(dirname(checkpoint), 'rank-eval.json');

/** The results so far: none if there is no file yet. Throws ConfigError if the file is not such a list. */
export async function readRecords(path: string): Promise<readonly unknown[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw error;
  }
  const records = parsed(text);
  if (Array.isArray(records)) return records;
  throw new ConfigError(`${path}: not a list of results in JSON; move it away`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes the results, atomically. Throws the system's error. */
export async function writeRecords(path: string, records: readonly unknown[]): Promise<void> {
  await atomicWrite(path, `${JSON.stringify(records, null, 2)}\n`);
}
