import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';

function viewOf(a: Tensor, c: Tensor) {
  const [batch, rows, inner] = a.shape;
  const { lanes, four, suffix } = rowView(c.shape[2]);
  return { sizes: { batch, rows, inner, cols: c.shape[2] / lanes }, four, suffix };
}

/**
 * Products of small matrices, one pair a batch: a [N,I,J], c [N,J,K] → y [N,I,K], y[n] = a[n]·c[n]. For one large
 * matrix there is linear.
 */
export const bmm = defineOp('bmm', ['a', 'c'], {
  shape({ a, c }) {
    const [batch, rows, inner] = dims(a, 3, 'bmm: a');
    const [others, height, cols] = dims(c, 3, 'bmm: c');
    if (batch !== others || inner !== height) {
      const what = `${batch} of ${inner} columns against ${others} of ${height} rows`;
      throw new ShapeError(`bmm: a ${format(a.shape)} and c ${format(c.shape)} disagree: ${what}`);
    }
    return [batch, rows, cols];
  },

  forward({ a, c, y }, run) {
    const { sizes, four, suffix } = viewOf(a, c);
    run(`bmm_forward${suffix}`, { a, [`c${four}`]: c, [`y${four}`]: y }, sizes, [sizes.batch * sizes.rows]);
  },

  backward({ a, c, dy, da, dc }, run) {
    const { sizes, four, suffix } = viewOf(a, c);
    const { batch, rows, inner } = sizes;
    const from = { [`dy${four}`]: dy };
    if (da) run(`bmm_backward_a${suffix}`, { ...from, [`c${four}`]: c, da }, sizes, [batch * rows]);
    if (dc) run(`bmm_backward_c${suffix}`, { ...from, a, [`dc${four}`]: dc }, sizes, [batch * inner]);
  },
});
