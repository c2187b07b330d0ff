import { open, type FileHandle } from 'node:fs/promises';
import { CheckpointError, readBytes } from '../checkpoint/container.js';
import { Malformed, count, fields, list, text, word, type Fields } from '../checkpoint/fields.js';
import { atomicWrite } from '../files.js';

/** A tensor of a file of weights, whatever type it is stored in. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Tensors by name. */
export type WeightMap = ReadonlyMap<string, Weight>;

const half = (bits: number): number => {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
};

/** The types that are read: bytes of an element, and the element at a place. */
const dtypes = {
  F32: { bytes: 4, at: (view: DataView, i: number) => view.getFloat32(i, true) },
  F64: { bytes: 8, at: (view: DataView, i: number) => view.getFloat64(i, true) },
  F16: { bytes: 2, at: (view: DataView, i: number) => half(view.getUint16(i, true)) },
  BF16: {
    bytes: 2,
    at: (view: DataView, i: number) =>
      new Float32Array(Uint32Array.of(view.getUint16(i, true) << 16).buffer)[0],
  },
  I64: { bytes: 8, at: (view: DataView, i: number) => Number(view.getBigInt64(i, true)) },
  I32: { bytes: 4, at: (view: DataView, i: number) => view.getInt32(i, true) },
} as const;

type Dtype = keyof typeof dtypes;
const dtypeNames = Object.keys(dtypes) as Dtype[];

interface Header {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The largest header that the format allows. */
const mostHeaderBytes = 100_000_000;
const prefixBytes = 8;

const product = (shape: readonly number[]) => shape.reduce((total, axis) => total * axis, 1);

/**
 * Writes tensors as safetensors: the length of a header as u64, the header in JSON (name → dtype, shape, place), and the
 * elements as f32, all little-endian. Atomically. Throws the system's error.
 */
export async function writeSafetensors(
  path: string,
  tensors: WeightMap,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  let at = 0;
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const begin = at;
    at += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  // Spaces, so that elements begin at a whole f64 as other writers have it.
  const padded = Buffer.alloc(8 * Math.ceil(header.length / 8), ' ');
  header.copy(padded);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  const pieces = [...tensors.values()].map(
    ({ data: { buffer, byteOffset, byteLength } }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  await atomicWrite(path, [prefix, padded, ...pieces]);
}

/**
 * Reads tensors of a safetensors file, as f32 whatever float or signed integer they are. Throws CheckpointError if it is
 * damaged or of another kind, and the system's error if it cannot be read.
 */
export async function readSafetensors(path: string): Promise<WeightMap> {
  const file = await open(path, 'r');
  try {
    return await readOpen(file);
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof Malformed)
      throw new CheckpointError(`weights ${path}: ${error.message}; use another file`);
    throw error;
  } finally {
    await file.close();
  }
}

async function readOpen(file: FileHandle): Promise<WeightMap> {
  const { size } = await file.stat();
  if (size < prefixBytes) throw new Malformed(`${size} bytes are too few for safetensors`);
  const prefix = Buffer.from(await readBytes(file, 0, prefixBytes));
  const headerBytes = Number(prefix.readBigUInt64LE());
  if (headerBytes > Math.min(mostHeaderBytes, size - prefixBytes)) {
    throw new Malformed(`not safetensors, or cut off: a header of ${headerBytes} bytes in a file of ${size}`);
  }
  const first = prefixBytes + headerBytes;
  const headers = readHeaders(await readBytes(file, prefixBytes, headerBytes), size - first);
  const tensors = new Map<string, Weight>();
  for (const { name, dtype, shape, begin, end } of headers) {
    const bytes = await readBytes(file, first + begin, end - begin);
    tensors.set(name, { shape, data: elements(bytes, dtype) });
  }
  return tensors;
}

function elements(bytes: Uint8Array, dtype: Dtype): Float32Array {
  if (dtype === 'F32') return new Float32Array(bytes.buffer);
  const { bytes: width, at } = dtypes[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / width }, (_, i) => at(view, i * width));
}

/** Checks that the tensors fill the bytes behind the header without holes or overlaps, as the format demands. */
function readHeaders(json: Uint8Array, dataBytes: number): readonly Header[] {
  const headers = Object.entries(parse(json))
    .filter(([name]) => name !== '__metadata__')
    .map(readHeader)
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, dtype, shape, begin, end } of headers) {
    if (begin !== at) throw new Malformed(`${name} begins at byte ${begin}, not ${at}`);
    const bytes = product(shape) * dtypes[dtype].bytes;
    if (end - begin !== bytes) throw new Malformed(`${name} has ${end - begin} bytes, not ${bytes}`);
    at = end;
  }
  if (at !== dataBytes)
    throw new Malformed(`its tensors have ${at} bytes, but ${dataBytes} follow the header`);
  return headers;
}

function parse(json: Uint8Array): Fields {
  try {
    return fields(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)), 'header');
  } catch (error) {
    throw error instanceof Malformed ? error : new Malformed('its header is not JSON');
  }
}

function readHeader([name, value]: readonly [string, unknown]): Header {
  const { dtype, shape, data_offsets } = fields(value, name);
  const offsets = list(data_offsets, `${name}.data_offsets`, count);
  if (offsets.length !== 2) throw new Malformed(`${name}.data_offsets has ${offsets.length} numbers, not 2`);
  const [begin, end] = offsets;
  return {
    name,
    dtype: word(text(dtype, `${name}.dtype`), `${name}.dtype`, dtypeNames),
    shape: list(shape, `${name}.shape`, count),
    begin,
    end,
  };
}
