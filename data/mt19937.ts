const WORDS = 624;
const SHIFT = 397;

/** A generator between two draws: 624 words and the position of the next one (0..624). Plain data, for checkpoints. */
export interface Mt19937State {
  readonly words: Uint32Array;
  readonly index: number;
}

/**
 * Mersenne Twister with 32-bit output, seeded as PyTorch's CPU generator is (the low 32 bits of the seed).
 * Matsumoto and Nishimura 1998. The one generator of the data pipeline, so that splits and batches are RecBole's.
 */
export class Mt19937 {
  readonly #words = new Uint32Array(WORDS);
  #index = WORDS;

  constructor(seed: number) {
    const words = this.#words;
    words[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const previous = words[i - 1] ^ (words[i - 1] >>> 30);
      words[i] = Math.imul(1812433253, previous) + i;
    }
  }

  /** The generator that `exportState` described; throws RangeError if the state is not one. */
  static fromState(state: Mt19937State): Mt19937 {
    const generator = new Mt19937(0);
    generator.importState(state);
    return generator;
  }

  /** Next 32 random bits, 0 .. 2^32 - 1. */
  next(): number {
    if (this.#index === WORDS) this.#twist();
    let y = this.#words[this.#index++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** A copy of the state; drawing on does not change it. */
  exportState(): Mt19937State {
    return { words: this.#words.slice(), index: this.#index };
  }

  /** Continues as the generator that exported `state`; throws RangeError if it is not a state. */
  importState(state: Mt19937State): void {
    const { words, index } = state;
    if (words.length !== WORDS || !Number.isInteger(index) || index < 0 || index > WORDS) {
      throw new RangeError(
        `mt19937: state has ${words.length} words and index ${index}, want 624 words and an index of 0 to 624`,
      );
    }
    this.#words.set(words);
    this.#index = index;
  }

  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < WORDS; i++) {
      const next = i + 1 === WORDS ? 0 : i + 1;
      const other = i + SHIFT < WORDS ? i + SHIFT : i + SHIFT - WORDS;
      const y = (words[i] & 0x80000000) | (words[next] & 0x7fffffff);
      words[i] = words[other] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }
}
