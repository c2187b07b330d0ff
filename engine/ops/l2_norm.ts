import { ShapeError, size } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';
import { trace } from './trace.js';

/**
 * Sums of squares made first for each tensor: four workgroups, as many as a software adapter has cores for.
 */
const maxParts = 256;

const quads = (t: Tensor) => Math.ceil(size(t.shape) / 4);

/**
 * Σᵢ ‖wᵢ‖₂ → [1], for regularisers: norms, not their squares, as the paper's code has it. The gradient is w /
 * ‖w‖, and 0 where ‖w‖ = 0. Throws ShapeError without tensors.
 */
export function l2Norm(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new ShapeError('l2_norm: no tensors were given');
  const count = tensors.length;
  const parts = Math.min(maxParts, Math.ceil(Math.sqrt(Math.max(...tensors.map(quads)))));
  const norms = tensors[0].tape.activation('l2_norm.norms', [count]);
  return trace({
    op: 'l2_norm',
    inputs: tensors,
    shape: [1],
    forward(y, run) {
      const partials = run.scratch('partials', [count, parts, 4]);
      tensors.forEach((w, i) =>
        run('l2_norm_squares', { w, partials }, { elements: size(w.shape), index: i, parts }, [parts]),
      );
      run('l2_norm_forward', { partials_forward: partials, norms, y }, { count, parts }, [1]);
    },
    backward(i, dy, run) {
      const w = tensors[i];
      const dw = run.scratch('dw', w.shape);
      const dims = { elements: size(w.shape), index: i };
      run('l2_norm_backward', { w, norms_forward: norms, dy, dw }, dims, strided(quads(w)));
      return dw;
    },
  });
}
