import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { Packr, Unpackr } from 'msgpackr';
import { atomicWrite } from '../files.js';
import { isPlain } from './plain.js';

/**
 * A checkpoint that cannot be used: damaged, of another version, or of another model. The command line prints
 * the message alone.
 */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** What a container holds: plain data, and blobs too large to be packed. */
export interface Content {
  readonly meta: unknown;
  readonly blobs: readonly Uint8Array[];
}

/**
 * A file is a prefix, the packed header and the blobs, all numbers little-endian:
 *
 *    0  magic
 *    8  u32 version
 *   12  u32 bytes of the header, packed by msgpackr: { sizes of the blobs, meta }
 *   16  f64 bytes of all blobs
 *   24  SHA-256 of the header
 *   56  SHA-256 of the blobs
 */
const magic = 'CTRCKPT\n';
const formatVersion = 1;
const prefixBytes = 88;
/** Read at once: a single read stops at 2 GiB. */
const pieceBytes = 64 << 20;

// Records would have msgpackr compile readers from what stands in the file.
const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false });

function sha256(pieces: Iterable<Uint8Array>): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** Writes the file atomically: the old one stays whole until the new one is. Throws the system's error. */
export async function writeContainer(path: string, { meta, blobs }: Content): Promise<void> {
  const sizes = blobs.map(({ byteLength }) => byteLength);
  const header = packr.pack({ sizes, meta });
  const prefix = Buffer.alloc(prefixBytes);
  prefix.write(magic, 0, 'latin1');
  prefix.writeUInt32LE(formatVersion, 8);
  prefix.writeUInt32LE(header.length, 12);
  prefix.writeDoubleLE(
    sizes.reduce((sum, size) => sum + size, 0),
    16,
  );
  prefix.set(sha256([header]), 24);
  prefix.set(sha256(blobs), 56);
  await atomicWrite(path, [prefix, header, ...blobs]);
}

/** Whether a file begins as those of writeContainer do. Throws the system's error if it cannot be read. */
export async function isContainer(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === magic;
  } finally {
    await file.close();
  }
}

/** Reads a file that writeContainer wrote. Throws CheckpointError if it is anything else, or not whole. */
export async function readContainer(path: string): Promise<Content> {
  const file = await open(path, 'r');
  try {
    return await readOpen(file);
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`checkpoint ${path}: ${error.message}`);
    throw error;
  } finally {
    await file.close();
  }
}

async function readOpen(file: FileHandle): Promise<Content> {
  const stat = await file.stat();
  if (stat.isDirectory()) throw new CheckpointError('is a folder; give a file in it, such as best.ckpt');
  const { size } = stat;
  const prefix = Buffer.from(await readBytes(file, 0, Math.min(size, prefixBytes)));
  checkPrefix(prefix);
  const headerBytes = prefix.readUInt32LE(12);
  const blobBytes = prefix.readDoubleLE(16);
  const whole = prefixBytes + headerBytes + blobBytes;
  if (size !== whole) {
    throw new CheckpointError(
      `${size} bytes, but it was written with ${whole}; it is damaged, use another one`,
    );
  }
  const header = await readBytes(file, prefixBytes, headerBytes);
  checkSum('header', sha256([header]), prefix.subarray(24, 56));
  const { sizes, meta } = unpackHeader(header, blobBytes);
  const blobs: Uint8Array[] = [];
  let at = prefixBytes + headerBytes;
  for (const bytes of sizes) {
    blobs.push(await readBytes(file, at, bytes));
    at += bytes;
  }
  checkSum('tensors', sha256(blobs), prefix.subarray(56, 88));
  return { meta, blobs };
}

function checkPrefix(prefix: Buffer): void {
  if (prefix.toString('latin1', 0, magic.length) !== magic) {
    throw new CheckpointError('not a checkpoint of this program; give a best.ckpt or last.ckpt');
  }
  if (prefix.length < prefixBytes) {
    throw new CheckpointError('cut off in its first bytes; it is damaged, use another one');
  }
  const version = prefix.readUInt32LE(8);
  if (version !== formatVersion) {
    throw new CheckpointError(
      `format version ${version}, but this program reads version ${formatVersion}; ` +
        'use the program that wrote it, or train again',
    );
  }
}

function checkSum(part: string, found: Buffer, expected: Buffer): void {
  if (found.equals(expected)) return;
  throw new CheckpointError(`the checksum of its ${part} is wrong; it is damaged, use another one`);
}

function unpackHeader(header: Uint8Array, blobBytes: number): { sizes: readonly number[]; meta: unknown } {
  const odd = () => new CheckpointError('its header is not one of ours; use another one');
  // Only plain data is handed to the unpacker: extensions could make it compile code.
  if (!isPlain(header)) throw odd();
  const content: unknown = unpackr.unpack(header);
  if (typeof content !== 'object' || content === null || !('sizes' in content) || !('meta' in content))
    throw odd();
  const { sizes, meta } = content;
  const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!Array.isArray(sizes) || !sizes.every(isSize)) throw odd();
  if (sizes.reduce((sum, size) => sum + size, 0) !== blobBytes) throw odd();
  return { sizes, meta };
}

/** Reads `length` bytes from `position` on, which must be there. Throws CheckpointError if the file is shorter. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  // Not a Buffer: those share memory that does not start at a whole word.
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(bytes, at, Math.min(length - at, pieceBytes), position + at);
    if (bytesRead === 0) throw new CheckpointError('cut off while it was read; try again');
    at += bytesRead;
  }
  return bytes;
}
