/**
 * Random numbers by place instead of by order: number `index` of a stream is a hash, so any cell of a synthetic set can
 * be made without the ones before it. A stream is known by its 32-bit key.
 */

/** The key of stream `name` under a seed or another key. */
export function streamKey(parent: number, name: string): number {
  let key = mix(parent ^ 0x9e3779b9);
  for (let i = 0; i < name.length; i++) key = mix(Math.imul(key, 31) + name.charCodeAt(i));
  return key >>> 0;
}

/** 32 random bits, 0 .. 2^32 - 1. */
export function bits(key: number, index: number): number {
  // Mixed twice, so that two streams are never the same numbers shifted.
  return mix(mix(index ^ key) + key) >>> 0;
}

/** Uniform in (0, 1), ends excluded. */
export function uniform(key: number, index: number): number {
  return (bits(key, index) + 0.5) / 2 ** 32;
}

/** Uniform whole number in 0 .. n - 1 (bias below n / 2^32). */
export function below(n: number, key: number, index: number): number {
  return Math.floor(uniform(key, index) * n);
}

/** Standard normal. Box and Muller 1958. */
export function normal(key: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniform(key, index)));
  return radius * Math.cos(2 * Math.PI * uniform(~key, index));
}

/** The final mix of MurmurHash3: every bit of the input moves every bit of the output. Appleby 2011. */
function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** 0 .. n - 1 in random order. */
export function shuffled(n: number, key: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1, key, i);
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

/**
 * A long-tailed law on ranks 0 .. n - 1: P(rank) ∝ (rank + shift)^-exponent, in the continuous form that can be drawn
 * without a table. Mandelbrot 1953.
 */
export interface ZipfLaw {
  /** The rank at which a share `u` of (0, 1) of all draws lies. */
  rank(u: number): number;
  /** Probability of a rank. */
  probability(rank: number): number;
}

/** The law over `n` ranks; `shift` > 0 flattens the head, `exponent` >= 0 is the steepness of the tail. */
export function zipf(n: number, exponent: number, shift: number): ZipfLaw {
  // With exponent 1 the integral is a logarithm; next to it the power form is as good.
  const power = Math.abs(1 - exponent) < 1e-6 ? 1e-6 : 1 - exponent;
  const [low, high] = [shift ** power, (n + shift) ** power];
  return {
    rank: (u) => Math.min(n - 1, Math.floor((low + u * (high - low)) ** (1 / power) - shift)),
    probability: (rank) => ((rank + 1 + shift) ** power - (rank + shift) ** power) / (high - low),
  };
}
