/**
 * Random numbers without state: each is a hash of (seed, step, stream, index), so that any of them can be had in any
 * order, on the host and in a kernel alike. Only u32 arithmetic, which WGSL does bit for bit the same.
 */

/** Four u32, mixed from four u32. Jarzynski and Olano, Hash Functions for GPU Rendering, JCGT 9(3), 2020: pcg4d. */
export function pcg4d(x: number, y: number, z: number, w: number): readonly [number, number, number, number] {
  let a = congruential(x);
  let b = congruential(y);
  let c = congruential(z);
  let d = congruential(w);
  a = (a + Math.imul(b, d)) | 0;
  b = (b + Math.imul(c, a)) | 0;
  c = (c + Math.imul(a, b)) | 0;
  d = (d + Math.imul(b, c)) | 0;
  a ^= a >>> 16;
  b ^= b >>> 16;
  c ^= c >>> 16;
  d ^= d >>> 16;
  a = (a + Math.imul(b, d)) | 0;
  b = (b + Math.imul(c, a)) | 0;
  c = (c + Math.imul(a, b)) | 0;
  d = (d + Math.imul(b, c)) | 0;
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

// Numerical Recipes' generator, as the paper has it.
const congruential = (x: number) => (Math.imul(x, 1664525) + 1013904223) | 0;

/** A u32 → [0, 1) in steps of 2⁻²⁴: f32 holds each of them exactly, so WGSL's f32(bits >> 8) / 2²⁴ is the same. */
export const toUniform = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** Two u32 → two independent standard normal numbers, in f64. Box and Muller 1958. At most 6.7 in magnitude. */
export function toNormals(a: number, b: number): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log((a + 1) * 2 ** -32)); // the argument is in (0, 1]
  const angle = 2 * Math.PI * b * 2 ** -32;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The key of a sequence of random numbers: three u32. Streams that differ in one of them are independent. */
export interface Stream {
  readonly seed: number;
  readonly step: number;
  readonly stream: number;
}

export const Stream = {
  /** The stream of a thing with a name, the same whatever else there is: FNV-1a of the name's UTF-16 units. */
  named(seed: number, name: string, step = 0): Stream {
    let hash = 0x811c9dc5;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return { seed: seed >>> 0, step, stream: hash >>> 0 };
  },
};

/** `count` numbers in [0, 1): element i is lane i mod 4 of index ⌊i/4⌋. */
export function uniforms({ seed, step, stream }: Stream, count: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 4) {
    const lanes = pcg4d(seed, step, stream, i >>> 2);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) values[i + lane] = toUniform(lanes[lane]);
  }
  return values;
}

/** `count` standard normal numbers in f64: elements 4j to 4j + 3 from index j. */
export function normals({ seed, step, stream }: Stream, count: number): Float64Array {
  const values = new Float64Array(Math.ceil(count / 4) * 4);
  for (let i = 0; i < count; i += 4) {
    const [a, b, c, d] = pcg4d(seed, step, stream, i >>> 2);
    [values[i], values[i + 1]] = toNormals(a, b);
    [values[i + 2], values[i + 3]] = toNormals(c, d);
  }
  return values.subarray(0, count);
}
