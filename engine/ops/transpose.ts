import { defineOp } from '../op.js';
import { ShapeError, format, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** Rows of a column that one invocation takes. */
const block = 32;

/** y = xᵀ; by tiles of 4 × 4 where both axes are whole vec4s. */
function launch(run: Run, x: Tensor, y: Tensor): void {
  const [rows, cols] = x.shape.slice(-2);
  const count = size(x.shape);
  if (rows % 4 === 0 && cols % 4 === 0) {
    const tiles = { count: count / 16, rows: rows / 4, cols: cols / 4 };
    run('transpose_forward_vec4', { x4: x, y4: y }, tiles, [tiles.count]);
  } else {
    const columns = (count / rows) * Math.ceil(rows / block);
    run('transpose_forward', { x, y }, { count: columns, rows, cols, block }, [columns]);
  }
}

/** Swaps the last two axes: x [..,I,J] → y [..,J,I], of rank 2 or 3. The gradient is a transpose too. */
export const transpose = defineOp('transpose', ['x'], {
  shape({ x: { shape } }) {
    if (shape.length !== 2 && shape.length !== 3) {
      throw new ShapeError(`transpose: x ${format(shape)} has ${shape.length} axes, but 2 or 3 are needed`);
    }
    const [rows, cols] = shape.slice(-2);
    return [...shape.slice(0, -2), cols, rows];
  },

  forward: ({ x, y }, run) => launch(run, x, y),

  backward({ dy, dx }, run) {
    if (dx) launch(run, dy, dx);
  },
});
