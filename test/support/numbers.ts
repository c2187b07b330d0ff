/** Repeatable standard normal numbers for tests: a generator of arrays, each of the size of the given shape. */
export function numbers(seed: number): (shape: readonly number[]) => number[] {
  let state = seed >>> 0;
  // mulberry32: small and good enough to fill test tensors
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return (shape) => Array.from({ length: shape.reduce((product, axis) => product * axis, 1) }, normal);
}
