/** Bytes after the first of a value of fixed size, by its first byte from 0xc0 on; extensions are missing. */
const fixedBytes: Readonly<Record<number, number>> = {
  0xc0: 0, // nil
  0xc2: 0, // false
  0xc3: 0, // true
  0xca: 4, // float 32
  0xcb: 8, // float 64
  0xcc: 1, // uint 8 … 64
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1, // int 8 … 64
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
};

/** Bytes of the count that follows the first byte: of bytes, of items, or of pairs. */
const counted: Readonly<Record<number, readonly ['bytes' | 'items' | 'pairs', 1 | 2 | 4]>> = {
  0xc4: ['bytes', 1], // bin
  0xc5: ['bytes', 2],
  0xc6: ['bytes', 4],
  0xd9: ['bytes', 1], // str
  0xda: ['bytes', 2],
  0xdb: ['bytes', 4],
  0xdc: ['items', 2], // array
  0xdd: ['items', 4],
  0xde: ['pairs', 2], // map
  0xdf: ['pairs', 4],
};

/**
 * Whether `bytes` are one whole MessagePack value of plain data: nothing is cut off and there are no
 * extensions.
 */
export function isPlain(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  // Values still to come. A count cannot promise more values than there are bytes, so the loop is bounded.
  for (let open = 1; open > 0; open--) {
    if (at >= bytes.length || open > bytes.length) return false;
    const value = measure(view, at);
    if (value === null) return false;
    at += value.bytes;
    open += value.inside;
  }
  return at === bytes.length;
}

/** The bytes of a value without the values inside it, and how many those are; null for what is not plain. */
function measure(view: DataView, at: number): { readonly bytes: number; readonly inside: number } | null {
  const first = view.getUint8(at);
  if (first < 0x80 || first >= 0xe0) return { bytes: 1, inside: 0 }; // small integers
  if (first < 0x90) return { bytes: 1, inside: 2 * (first & 15) }; // small map
  if (first < 0xa0) return { bytes: 1, inside: first & 15 }; // small array
  if (first < 0xc0) return { bytes: 1 + (first & 31), inside: 0 }; // short string
  if (first in fixedBytes) return { bytes: 1 + fixedBytes[first], inside: 0 };
  const kind = counted[first];
  if (kind === undefined || at + 1 + kind[1] > view.byteLength) return null;
  const [what, width] = kind;
  const count =
    width === 1 ? view.getUint8(at + 1) : width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  if (what === 'bytes') return { bytes: 1 + width + count, inside: 0 };
  return { bytes: 1 + width, inside: what === 'pairs' ? 2 * count : count };
}
