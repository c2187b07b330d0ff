import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openArchive } from './archive.js';

/**
 * Reads a file to its end and returns its SHA-256. Of a .zip every member is unpacked and checked, a .gz is unpacked;
 * `name` says which it is, for the file may bear another name yet. Throws DataError on one that is damaged.
 */
export async function verifyFile(path: string, name = path): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  if (!/\.(zip|gz)$/i.test(name)) return hash.digest('hex');
  const archive = await openArchive(path, name);
  try {
    for (const member of archive.members) await drain(archive.open(member).bytes);
  } finally {
    archive.close();
  }
  return hash.digest('hex');
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const iterator = bytes[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
