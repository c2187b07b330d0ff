import { randomBytes } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from './errors.js';

/** What can be written: text as UTF-8, bytes, or bytes in pieces. */
export type FileData = string | Uint8Array | Iterable<Uint8Array>;

async function writePieces(file: FileHandle, data: FileData): Promise<void> {
  if (typeof data === 'string' || data instanceof Uint8Array) await file.writeFile(data);
  else for (const piece of data) await file.writeFile(piece);
}

/** A rename lasts only once the folder is on the disk; Windows cannot open folders and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * A failed write to an open file names no path, a failed open names the temporary one: neither helps the
 * user.
 */
function namePath(error: unknown, path: string): unknown {
  if (isSystemError(error)) error.path = path;
  return error;
}

/**
 * Writes a file so that at any moment, also after a crash, `path` holds either all of the old content or all
 * of the new. Throws the system's error with `path` in it; no temporary file stays behind.
 */
export async function atomicWrite(path: string, data: FileData): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await writePieces(file, data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw namePath(error, path);
  }
}
