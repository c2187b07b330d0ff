import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';

/**
 * The same elements in the same order under another shape; no kernel runs. Throws ShapeError if the sizes
 * differ.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const y = x.tape.view(x, shape);
  x.tape.record({
    op: 'reshape',
    shader: 'none',
    inputs: [x],
    output: y,
    backward: (dy) => [x.tape.view(dy, x.shape)],
  });
  return y;
}
