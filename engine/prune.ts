import type { Dispatch } from './tape.js';
import { owner, type Tensor } from './tensor.js';

/**
 * Leaves out dispatches for results that no dispatch after them reads and that are not `kept`: columns of a batch that
 * a model does not use, rows of a table that another op reads where they are.
 */
export function prune(dispatches: readonly Dispatch[], kept: ReadonlySet<Tensor>): Dispatch[] {
  const read = new Set(kept);
  const needed = (t: Tensor) => t.kind !== 'activation' || read.has(owner(t));
  const backwards = [...dispatches].reverse().filter(({ results, buffers }) => {
    if (results !== undefined && !results.some(needed)) return false;
    for (const t of Object.values(buffers)) read.add(owner(t));
    return true;
  });
  return backwards.reverse();
}
