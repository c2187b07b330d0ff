import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline, Transform, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { DataError } from '../errors.js';

const CHUNK_BYTES = 1 << 20;
/** Publishers' archives have a folder or two in them. */
const MOST_FOLDERS = 3;

/** A file of a folder or an archive. */
export interface Member {
  /** Path inside, with / between folders. */
  readonly name: string;
  /** As stored: a .gz is counted compressed. */
  readonly bytes: number;
  /** Another stamp means another content. */
  readonly stamp: string;
}

/** The bytes of a member, decompressed if it is a .gz. */
export interface Opened {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The share that has been read, 0 … 1. */
  readonly progress: () => number;
}

/** Where original files come from: a folder, a zip archive, or one file. */
export interface Archive {
  readonly path: string;
  readonly members: readonly Member[];
  /** How messages name a member. */
  readonly label: (member: Member) => string;
  readonly open: (member: Member) => Opened;
  readonly close: () => void;
}

/**
 * Opens what the user has downloaded; `name` is that of a file that does not bear it yet. Throws DataError on a path that
 * is nothing of the kind.
 */
export async function openArchive(path: string, name = path): Promise<Archive> {
  const found = await stat(path).catch((error: unknown) => {
    throw isMissing(error) ? new DataError('no such file or folder; check the path', path) : error;
  });
  if (found.isDirectory()) return folder(path);
  if (/\.(tar|tgz|tar\.gz|tar\.bz2|7z|rar)$/i.test(name)) {
    throw new DataError('is an archive of a kind that is not read here; unpack it and give the folder', path);
  }
  if (/\.zip$/i.test(name)) return zip(path);
  const member = { name: basename(name), bytes: found.size, stamp: String(found.mtimeMs) };
  return files(path, [member], () => path);
}

async function folder(path: string): Promise<Archive> {
  const members: Member[] = [];
  const walk = async (inside: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(path, inside), { withFileTypes: true })) {
      const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory() && depth < MOST_FOLDERS) await walk(name, depth + 1);
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      const found = await stat(join(path, name));
      if (found.isFile()) members.push({ name, bytes: found.size, stamp: String(found.mtimeMs) });
    }
  };
  await walk('', 0);
  return files(path, members, ({ name }) => join(path, name));
}

function files(path: string, members: readonly Member[], label: (member: Member) => string): Archive {
  const open = (member: Member) => {
    const stored = async () => createReadStream(label(member), { highWaterMark: CHUNK_BYTES });
    return opened(member, label(member), stored);
  };
  return { path, members, label, open, close: () => {} };
}

async function zip(path: string): Promise<Archive> {
  const entries = new Map<string, Entry>();
  let file: ZipFile;
  try {
    file = await openPromise(path, { autoClose: false });
    for await (const entry of file.eachEntry()) {
      if (!entry.fileName.endsWith('/') && !entry.fileName.startsWith('__MACOSX/')) {
        entries.set(entry.fileName, entry);
      }
    }
  } catch (error) {
    throw damaged(error, path);
  }
  const members = [...entries].map(([name, { uncompressedSize, crc32 }]) => {
    return { name, bytes: uncompressedSize, stamp: crc32.toString(16) };
  });
  const label = ({ name }: Member) => `${path}/${name}`;
  const open = (member: Member) => {
    const entry = entries.get(member.name);
    if (entry === undefined) throw new DataError('no such member', label(member));
    if (entry.isEncrypted())
      throw new DataError('is encrypted; unpack it and give the folder', label(member));
    return opened(member, label(member), () => file.openReadStreamPromise(entry), entry.crc32);
  };
  return { path, members, label, open, close: () => file.close() };
}

/** Counts what is read, checks it against `checksum`, and decompresses a .gz. Nothing is opened before it is read. */
function opened(member: Member, label: string, stored: () => Promise<Readable>, checksum?: number): Opened {
  let read = 0;
  const counted = () =>
    checking(checksum, (bytes) => {
      read += bytes;
    });
  const bytes = (async function* (): AsyncGenerator<Uint8Array> {
    try {
      const unzip = /\.gz$/i.test(member.name) ? [zlib.createGunzip({ chunkSize: CHUNK_BYTES })] : [];
      // Errors come out of the last stream, where they are awaited.
      const last = [await stored(), counted(), ...unzip].reduce((from, to) =>
        pipeline(from, to as Transform, () => {}),
      );
      for await (const chunk of last) yield chunk as Uint8Array;
    } catch (error) {
      throw damaged(error, label);
    }
  })();
  return { bytes, progress: () => (member.bytes === 0 ? 1 : read / member.bytes) };
}

/** Lets bytes pass, and fails at their end if they have another checksum than `wanted`. */
function checking(wanted: number | undefined, seen: (bytes: number) => void): Transform {
  // Node has it from 20.15 on; before, only the sizes are checked.
  const crc32: typeof zlib.crc32 | undefined = wanted === undefined ? undefined : zlib.crc32;
  let sum = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen(chunk.length);
      if (crc32 !== undefined) sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush(done) {
      const wrong = crc32 !== undefined && sum !== wanted;
      done(wrong ? new Error(`its checksum is ${sum.toString(16)}, want ${wanted?.toString(16)}`) : null);
    },
  });
}

/** Archives that cannot be read are the user's to fetch again; what the system says about files keeps its code. */
function damaged(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error instanceof DataError) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]+$/.test(code)) return error;
  return new DataError(`is damaged: ${error.message}; download it again`, file);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
