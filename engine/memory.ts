import { size } from './shape.js';
import type { Dispatch } from './tape.js';
import { owner, type Tensor } from './tensor.js';

/** Buffers shared by activations that are never alive together. */
export interface MemoryPlan {
  /** Size of every shared buffer, in bytes. */
  readonly slots: readonly number[];
  /** Which shared buffer an activation (owner, not view) lies in, the largest activation first. */
  readonly slotOf: ReadonlyMap<Tensor, number>;
  /** What the activations would take without sharing, in bytes. */
  readonly unsharedBytes: number;
}

/** Bytes of a tensor's buffer: whole vec4s, so that kernels may read it as such. */
export const bytesOf = (t: Tensor): number => Math.ceil(size(t.shape) / 4) * 16;

interface Life {
  readonly tensor: Tensor;
  readonly first: number;
  readonly last: number;
}

function lives(dispatches: readonly Dispatch[], kept: ReadonlySet<Tensor>): Life[] {
  const found = new Map<Tensor, { first: number; last: number }>();
  dispatches.forEach((dispatch, i) => {
    for (const tensor of Object.values(dispatch.buffers).map(owner)) {
      if (tensor.kind !== 'activation') continue;
      const life = found.get(tensor);
      if (life === undefined) found.set(tensor, { first: i, last: i });
      else life.last = i;
    }
  });
  const end = dispatches.length;
  return [...found].map(([tensor, life]) =>
    kept.has(tensor) ? { tensor, first: 0, last: end } : { tensor, ...life },
  );
}

/**
 * Places activations, the largest first, each in the first buffer that is free for its whole life (greedy by size:
 * Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020). Tensors of one dispatch never
 * share a buffer, since WebGPU forbids a buffer that is read and written at once. `kept` live through the whole plan.
 */
export function planMemory(
  dispatches: readonly Dispatch[],
  kept: ReadonlySet<Tensor> = new Set(),
): MemoryPlan {
  const all = lives(dispatches, kept).sort(
    (a, b) => bytesOf(b.tensor) - bytesOf(a.tensor) || a.first - b.first,
  );
  const slots: number[] = [];
  const tenants: Life[][] = [];
  const slotOf = new Map<Tensor, number>();
  for (const life of all) {
    const free = tenants.findIndex((lives) =>
      lives.every((one) => one.last < life.first || life.last < one.first),
    );
    const slot = free === -1 ? slots.length : free;
    if (free === -1) {
      slots.push(bytesOf(life.tensor));
      tenants.push([]);
    }
    tenants[slot].push(life);
    slotOf.set(life.tensor, slot);
  }
  return { slots, slotOf, unsharedBytes: all.reduce((sum, { tensor }) => sum + bytesOf(tensor), 0) };
}
