/** The words that pandas, and so RecBole, reads as a missing cell, beside the empty one. */
export const missingWords: readonly string[] =
  '#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,n/a,nan,null'.split(',');

const NEWLINE = 10;
// 16 MiB of text a decoding: far below the longest string of the JavaScript engine.
const DECODED_BYTES = 1 << 24;
// Numbers below it are looked up, not hashed: 4 MB of ids at most.
const NUMBERS = 1e6;

/** Where a hash begins (FNV-1a). */
export const hashSeed = 0x811c9dc5 | 0;

/** The hash of a text that is one byte longer. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/**
 * Numbers distinct byte strings 1, 2, … in the order they come; no string is made until texts are asked for.
 * Ids up to `Interner.missing` are the words that stand for a missing cell.
 */
export class Interner {
  /** Ids 1 .. missing are reserved for words such as NA and null. */
  static readonly missing = missingWords.length;

  #slots = new Uint32Array(1 << 10);
  #hashes = new Int32Array(1 << 9);
  /** Text of id i: bytes starts[i] .. starts[i + 1]. */
  #starts = new Uint32Array(1 << 9);
  #bytes = new Uint8Array(1 << 12);
  #size = 0;
  /** Ids of the numbers that are known; 0 for others. */
  #ofNumber = new Uint32Array(1 << 12);

  constructor() {
    const encoder = new TextEncoder();
    for (const word of missingWords) {
      const bytes = encoder.encode(word);
      this.intern(bytes, 0, bytes.length);
    }
  }

  /** The largest id given out. */
  get size(): number {
    return this.#size;
  }

  /** The id of bytes[start .. end). */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = hashSeed;
    for (let i = start; i < end; i++) hash = hashByte(hash, bytes[i]);
    return this.internHashed(hash, bytes, start, end);
  }

  /** The ids of whole numbers that `know` was told of, by number; 0 for others. The array changes with `know`. */
  get numbers(): Uint32Array {
    return this.#ofNumber;
  }

  /** Remembers the id of `number`, written without zeros before it, unless the number is large. */
  know(number: number, id: number): void {
    if (number >= NUMBERS) return;
    this.#ofNumber = grown(this.#ofNumber, number + 1);
    this.#ofNumber[number] = id;
  }

  /** The id of bytes[start .. end), given their hash: `hashByte` over all bytes from `hashSeed` on. */
  internHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const mixed = hash ^ (hash >>> 15);
    const slots = this.#slots;
    const hashes = this.#hashes;
    const mask = slots.length - 1;
    let slot = mixed & mask;
    for (let id = slots[slot]; id !== 0; id = slots[slot]) {
      if (hashes[id] === mixed && this.#holds(id, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(mixed, slot, bytes, start, end);
  }

  /** The texts of `ids`, in their order. */
  texts(ids: Uint32Array): string[] {
    const parts: string[][] = [];
    for (let from = 0; from < ids.length;) {
      let bytes = 0;
      let to = from;
      while (to < ids.length && bytes < DECODED_BYTES) bytes += this.#length(ids[to++]) + 1;
      // One decoding and one split are an order of magnitude faster than a decoding per token.
      parts.push(this.#joined(ids.subarray(from, to), bytes).split('\n'));
      from = to;
    }
    return parts.length === 1 ? parts[0] : parts.flat();
  }

  #length(id: number): number {
    return this.#starts[id + 1] - this.#starts[id];
  }

  /** Texts of `ids` with newlines between them; no token holds a newline. */
  #joined(ids: Uint32Array, bytes: number): string {
    const joined = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (const id of ids) {
      for (let i = this.#starts[id]; i < this.#starts[id + 1]; i++) joined[at++] = this.#bytes[i];
      joined[at++] = NEWLINE;
    }
    return joined.toString('utf8', 0, at - 1);
  }

  #holds(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes;
    let at = this.#starts[id];
    if (this.#starts[id + 1] - at !== end - start) return false;
    for (let i = start; i < end; i++) if (own[at++] !== bytes[i]) return false;
    return true;
  }

  #add(hash: number, slot: number, bytes: Uint8Array, start: number, end: number): number {
    const id = ++this.#size;
    if (id + 1 >= this.#starts.length) {
      this.#starts = grown(this.#starts, id + 2);
      this.#hashes = grown(this.#hashes, id + 2);
    }
    const at = this.#starts[id];
    this.#bytes = grown(this.#bytes, at + end - start);
    for (let i = start; i < end; i++) this.#bytes[at + i - start] = bytes[i];
    this.#starts[id + 1] = at + end - start;
    this.#hashes[id] = hash;
    this.#slots[slot] = id;
    if (id * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 4);
    const mask = slots.length - 1;
    for (let id = 1; id <= this.#size; id++) {
      let slot = this.#hashes[id] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/** `array` itself if it holds `length` elements, else a copy with room for at least twice as many as it had. */
export function grown<T extends Uint8Array | Uint32Array | Float32Array | Float64Array | Int32Array>(
  array: T,
  length: number,
): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}
