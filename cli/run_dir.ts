import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from './errors.js';

function two(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

/** Local time to the millisecond, fit for file names and sorted like time: 2026-01-31_09-05-00-123. */
export function timestamp(date: Date): string {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}-${two(date.getMinutes())}-${two(date.getSeconds())}`;
  return `${day}_${clock}-${two(date.getMilliseconds(), 3)}`;
}

function tryMake(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Makes <checkpointDir>/<model>-<dataset>-<time>[-n] and returns its path. Making the folder is what claims
 * the name, so runs that start in the same millisecond get folders of their own.
 */
export function makeRunDir(checkpointDir: string, model: string, dataset: string, now = new Date()): string {
  mkdirSync(checkpointDir, { recursive: true });
  const base = join(checkpointDir, `${model}-${dataset}-${timestamp(now)}`);
  let folder = base;
  for (let n = 1; !tryMake(folder); n++) folder = `${base}-${n}`;
  return folder;
}
