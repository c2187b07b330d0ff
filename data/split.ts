import type { Mt19937 } from './mt19937.js';

/**
 * A permutation of 0 .. n-1, the one that PyTorch's CPU `randperm` draws from the same state (n below 2^32 / 20).
 * Uses n - 1 draws.
 */
export function randperm(n: number, rng: Mt19937): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + (rng.next() % (n - i));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}
