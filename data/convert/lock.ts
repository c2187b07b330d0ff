import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { isAlive } from '../process.js';

/**
 * Takes a folder for this process; the function that is returned gives it back. A lock that a killed process left is
 * taken over. Throws DataError while another process works there.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner !== process.pid && isAlive(owner)) {
      throw new DataError(`process ${owner} works here; wait for it, or end it`, folder);
    }
    await rm(path, { force: true });
  }
  return () => rm(path, { force: true });
}
