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
    return tempered(this.#words[this.#index++]) >>> 0;
  }

  /** Fills `draws` with what as many calls of `next` would give. */
  fill(draws: Uint32Array): void {
    for (let at = 0; at < draws.length;) {
      if (this.#index === WORDS) this.#twist();
      const count = Math.min(draws.length - at, WORDS - this.#index);
      temper(this.#words, this.#index, draws, at, count);
      this.#index += count;
      at += count;
    }
  }

  /** Goes on as after so many draws. */
  skip(draws: number): void {
    for (let left = draws; left > 0;) {
      if (this.#index === WORDS) this.#twist();
      const count = Math.min(left, WORDS - this.#index);
      this.#index += count;
      left -= count;
    }
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
    // In three runs, so that no index has to be asked where it stands.
    twistRun(words, 0, WORDS - SHIFT, SHIFT);
    twistRun(words, WORDS - SHIFT, WORDS - 1, SHIFT - WORDS);
    words[WORDS - 1] = twisted(words[WORDS - 1], words[0], words[SHIFT - 1]);
    this.#index = 0;
  }
}

function twistRun(words: Uint32Array, from: number, to: number, shift: number): void {
  for (let i = from; i < to; i++) words[i] = twisted(words[i], words[i + 1], words[i + shift]);
}

function twisted(word: number, next: number, other: number): number {
  const y = (word & 0x80000000) | (next & 0x7fffffff);
  // All bits or none, by the lowest: a branch would be guessed wrong half of the time.
  return other ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
}

function tempered(word: number): number {
  let y = word ^ (word >>> 11);
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >>> 18);
}

function temper(words: Uint32Array, from: number, draws: Uint32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) draws[to + i] = tempered(words[from + i]);
}
