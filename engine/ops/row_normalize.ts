import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { dims } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** Shorter rows are divided by this, as torch.nn.functional.cosine_similarity does it. */
const eps = 1e-8;

function viewOf({ shape: [rows, cols] }: Tensor) {
  const { lanes, four, suffix } = rowView(cols);
  return { sizes: { rows, width: cols / lanes }, four, suffix };
}

/** Rows of length 1: x [N,W] → y [N,W], y = x / max(‖x‖₂, 1e-8). The product of two such rows is their cosine. */
export const rowNormalize = defineOp('row_normalize', ['x'], {
  shape({ x }) {
    dims(x, 2, 'row_normalize: x');
    return x.shape;
  },

  /** What each row was multiplied by. */
  saves: ({ x }) => ({ r: [x.shape[0]] }),

  forward({ x, r, y }, run) {
    const { sizes, four, suffix } = viewOf(x);
    const buffers = { [`x${four}`]: x, r, [`y${four}`]: y };
    run(`row_normalize_forward${suffix}`, buffers, { ...sizes, eps }, strided(sizes.rows));
  },

  backward({ x, r, y, dy, dx }, run) {
    if (dx === undefined) return;
    const { sizes, four, suffix } = viewOf(x);
    const read = { [`y_forward${four}`]: y, r_forward: r, [`dy${four}`]: dy };
    run(`row_normalize_backward${suffix}`, { ...read, [`dx${four}`]: dx }, sizes, strided(sizes.rows));
  },
});
