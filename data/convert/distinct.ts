const LEAST_SLOTS = 1 << 10;

/**
 * Counts distinct texts by 64 bits of hash each: memory grows with the texts, 16 bytes at most for each, not with their
 * length. Two of ten million texts share a hash in one run of 300,000.
 */
export class Distinct {
  #hashes = new Uint32Array(2 * LEAST_SLOTS);
  #size = 0;

  /** Distinct texts so far. */
  get size(): number {
    return this.#size;
  }

  add(text: string): void {
    let [low, high] = [0x811c9dc5, 0x9e3779b9];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b);
      high ^= high >>> 13;
    }
    // Both zero marks a free slot.
    this.#insert(mixed(low), mixed(high) || 1);
    if (3 * this.#size > this.#hashes.length) this.#grow();
  }

  #insert(low: number, high: number): void {
    const hashes = this.#hashes;
    const mask = hashes.length / 2 - 1;
    let slot = (low ^ (high >>> 7)) & mask;
    while (hashes[2 * slot] !== 0 || hashes[2 * slot + 1] !== 0) {
      if (hashes[2 * slot] === low && hashes[2 * slot + 1] === high) return;
      slot = (slot + 1) & mask;
    }
    hashes[2 * slot] = low;
    hashes[2 * slot + 1] = high;
    this.#size++;
  }

  #grow(): void {
    const old = this.#hashes;
    this.#hashes = new Uint32Array(2 * old.length);
    this.#size = 0;
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) this.#insert(old[i], old[i + 1]);
  }
}

/** Spreads all bits over all bits, so that any of them can choose the slot. */
function mixed(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return (value ^ (value >>> 16)) >>> 0;
}
