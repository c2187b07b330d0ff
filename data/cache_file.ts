import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pack, unpack } from 'msgpackr';
import type { Column, Dataset, Table } from './schema.js';

// Ends in the version of the format.
const MAGIC = 'CTRDATA1';
const PREFIX_BYTES = 16;

type Numbers = Uint32Array | Float32Array;

/** An array in the header: its element type, length and checksum; the elements follow the header in order. */
interface Stored {
  readonly type: 'u32' | 'f32' | 'text';
  /** In elements; of texts in bytes. */
  readonly length: number;
  readonly sum: number;
}

/** What stands before the arrays. Columns and vocabularies refer to arrays by their place. */
interface Header {
  readonly identity: string;
  readonly arrays: readonly Stored[];
  readonly dataset: Omit<Dataset, 'inter' | 'users' | 'items' | 'rating' | 'label' | 'vocabularies'>;
  readonly inter: StoredTable;
  readonly users: StoredTable | null;
  readonly items: StoredTable | null;
  readonly rating: number | null;
  readonly label: number | null;
  readonly vocabularies: readonly (readonly [string, number])[];
}

interface StoredTable {
  readonly rows: number;
  readonly columns: readonly (readonly [string, StoredColumn])[];
}

interface StoredColumn {
  readonly type: Column['type'];
  readonly data: number;
  readonly index?: number;
  readonly maxLength?: number;
}

/** A file that is no data set as `writeDataset` leaves it. */
export class DamagedCache extends Error {
  override readonly name = 'DamagedCache';
}

/** Writes the data set to a new file that takes the place of an old one in one step, or not at all. */
export async function writeDataset(file: string, identity: string, dataset: Dataset): Promise<void> {
  const arrays = new ArrayList();
  const header = pack(headerOf(identity, dataset, arrays));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(header.length, 8);
  prefix.writeUInt32LE(checksum(header), 12);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(draft, 'wx');
    try {
      for (const part of [prefix, header, ...arrays.parts]) await writeAll(handle, bytesOf(part));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * The data set in `file` if it has this identity, null if it has another. Throws DamagedCache if the file is not
 * whole, and the system's error if it cannot be read.
 */
export async function readDataset(file: string, identity: string): Promise<Dataset | null> {
  const handle = await open(file, 'r');
  try {
    const { header, end } = await readHeader(handle);
    return header.identity === identity ? await readArrays(handle, header, end) : null;
  } finally {
    await handle.close();
  }
}

/** The header, and where it ends. */
async function readHeader(handle: FileHandle): Promise<{ header: Header; end: number }> {
  const prefix = Buffer.from(await readAll(handle, 0, PREFIX_BYTES));
  if (prefix.toString('latin1', 0, 8) !== MAGIC) throw new DamagedCache('not a data set of this version');
  const { size } = await handle.stat();
  const length = prefix.readUInt32LE(8);
  if (length > size) throw new DamagedCache('cut off');
  const header = await readAll(handle, PREFIX_BYTES, length);
  if (checksum(header) !== prefix.readUInt32LE(12)) throw new DamagedCache('its header has changed');
  // The checksum says that we wrote it.
  return { header: unpack(header) as Header, end: PREFIX_BYTES + length };
}

/** Reads the arrays, the first of which begins at `start`: threads fill their memory while sums are made of others. */
async function readArrays(handle: FileHandle, header: Header, start: number): Promise<Dataset> {
  let end = start;
  const reading = header.arrays.map((stored) => {
    const from = end;
    end += bytesIn(stored);
    return readArray(handle, from, stored);
  });
  const arrays = await Promise.all(reading);
  const numbers = <T extends Numbers>(at: number) => arrays[at] as T;
  const optional = (at: number | null) => (at === null ? null : numbers<Float32Array>(at));
  const column = ({ type, data, index, maxLength = 1 }: StoredColumn): Column => {
    if (type === 'token') return { type, ids: numbers<Uint32Array>(data) };
    if (type === 'token_seq') return { type, ids: numbers<Uint32Array>(data), maxLength };
    if (type === 'float_seq') return { type, values: numbers<Float32Array>(data), maxLength };
    const values = numbers<Float32Array>(data);
    return index === undefined ? { type, values } : { type, values, index: numbers<Uint32Array>(index) };
  };
  const table = ({ rows, columns }: StoredTable): Table => ({
    rows,
    columns: new Map(columns.map(([name, stored]) => [name, column(stored)])),
  });
  return {
    ...header.dataset,
    inter: table(header.inter),
    users: header.users && table(header.users),
    items: header.items && table(header.items),
    rating: optional(header.rating),
    label: optional(header.label),
    vocabularies: new Map(header.vocabularies.map(([name, at]) => [name, arrays[at] as readonly string[]])),
  };
}

async function readArray(
  handle: FileHandle,
  from: number,
  stored: Stored,
): Promise<Numbers | readonly string[]> {
  const { type, sum } = stored;
  const bytes = await readAll(handle, from, bytesIn(stored));
  if (checksum(bytes) !== sum) throw new DamagedCache('its content has changed');
  if (type === 'text') return Buffer.from(bytes.buffer).toString('utf8').split('\n');
  return type === 'u32' ? new Uint32Array(bytes.buffer) : new Float32Array(bytes.buffer);
}

const bytesIn = ({ type, length }: Stored): number => (type === 'text' ? length : length * 4);

function headerOf(identity: string, dataset: Dataset, arrays: ArrayList): Header {
  const { inter, users, items, rating, label, vocabularies, ...rest } = dataset;
  const column = (one: Column): StoredColumn => ({
    type: one.type,
    data: arrays.place('ids' in one ? one.ids : one.values),
    ...('index' in one && one.index && { index: arrays.place(one.index) }),
    ...('maxLength' in one && { maxLength: one.maxLength }),
  });
  const table = ({ rows, columns }: Table): StoredTable => ({
    rows,
    columns: [...columns].map(([name, one]) => [name, column(one)] as const),
  });
  const parts = {
    inter: table(inter),
    users: users && table(users),
    items: items && table(items),
    rating: rating && arrays.place(rating),
    label: label && arrays.place(label),
    vocabularies: [...vocabularies].map(([name, tokens]) => [name, arrays.placeTexts(tokens)] as const),
  };
  return { identity, dataset: rest, ...parts, arrays: arrays.stored };
}

/** Arrays in the order in which they are stored; one that is used twice is stored once. */
class ArrayList {
  readonly stored: Stored[] = [];
  readonly parts: Uint8Array[] = [];
  readonly #places = new Map<object, number>();

  place(array: Numbers): number {
    return this.#place(array, array instanceof Uint32Array ? 'u32' : 'f32', array.length, () =>
      bytesOf(array),
    );
  }

  placeTexts(texts: readonly string[]): number {
    const known = this.#places.get(texts);
    if (known !== undefined) return known;
    const bytes = Buffer.from(texts.join('\n'), 'utf8'); // no token holds a newline
    return this.#place(texts, 'text', bytes.length, () => bytes);
  }

  #place(key: object, type: Stored['type'], length: number, bytes: () => Uint8Array): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const part = bytes();
    const place = this.parts.push(part) - 1;
    this.stored.push({ type, length, sum: checksum(part) });
    this.#places.set(key, place);
    return place;
  }
}

function bytesOf(array: Numbers | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Tells a damaged file from a whole one; four sums side by side, because one multiplication waits for the last. */
function checksum(bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
  let [a, b, c, d] = [1, 2, 3, 4];
  let i = 0;
  for (; i + 4 <= words.length; i += 4) {
    a = Math.imul(a ^ words[i], 0x9e3779b1);
    b = Math.imul(b ^ words[i + 1], 0x85ebca6b);
    c = Math.imul(c ^ words[i + 2], 0xc2b2ae35);
    d = Math.imul(d ^ words[i + 3], 0x27d4eb2f);
  }
  for (; i < words.length; i++) a = Math.imul(a ^ words[i], 0x9e3779b1);
  for (let at = words.length * 4; at < aligned.length; at++) b = Math.imul(b ^ aligned[at], 0x85ebca6b);
  return (
    (Math.imul(a ^ (b >>> 15), 0x9e3779b1) ^ Math.imul(c ^ (d >>> 13), 0x85ebca6b) ^ aligned.length) >>> 0
  );
}

// Node reads and writes less than 2 GiB at once.
const MAX_IO_BYTES = 1 << 30;

async function readAll(handle: FileHandle, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, MAX_IO_BYTES), from + at);
    if (bytesRead === 0) throw new DamagedCache('cut off');
    at += bytesRead;
  }
  return bytes;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(bytes.length - at, MAX_IO_BYTES), null);
    at += bytesWritten;
  }
}
