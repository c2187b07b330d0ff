import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** Rows that one partial sum of dw covers: short enough sums to use every core. */
const rowsPerSplit = 128;

function viewOf(x: Tensor, w: Tensor) {
  const [batch, fields, inner] = x.shape;
  const { lanes, four, suffix } = rowView(inner);
  return { sizes: { batch, fields, inner: inner / lanes, outer: w.shape[1] }, lanes, four, suffix };
}

/** dw [F,O,I] = Σ_b dy[b,f,:]·x[b,f,:]ᵀ, in splits of the batch first where it is long. */
function backwardW(x: Tensor, w: Tensor, dy: Tensor, dw: Tensor, run: Run): void {
  const { sizes, lanes, four, suffix } = viewOf(x, w);
  const splits = Math.ceil(sizes.batch / rowsPerSplit);
  const stride = 4 * Math.ceil(size(w.shape) / 4);
  const partials = splits === 1 ? dw : run.scratch('partials', [splits, stride]);
  const all = { ...sizes, per_split: rowsPerSplit, stride: stride / lanes };
  const buffers = { dy, [`x${four}`]: x, [`dw${four}`]: partials };
  run(`field_linear_backward_w${suffix}`, buffers, all, [size(w.shape) / lanes, splits]);
  if (splits > 1) {
    const sum = { stride: stride / 4, splits };
    run('field_linear_sum_partials', { partials4: partials, total4: dw }, sum, [stride / 4]);
  }
}

/** A linear map of its own for each field: x [B,F,I], w [F,O,I] → y [B,F,O], y[b,f] = w[f]·x[b,f]. */
export const fieldLinear = defineOp('field_linear', ['x', 'w'], {
  shape({ x, w }) {
    const [batch, fields, inner] = dims(x, 3, 'field_linear: x');
    const [maps, outer, width] = dims(w, 3, 'field_linear: w');
    if (fields !== maps || inner !== width) {
      const what = `${fields} fields of ${inner} against ${maps} maps of ${width}`;
      throw new ShapeError(`field_linear: x ${format(x.shape)} and w ${format(w.shape)} disagree: ${what}`);
    }
    return [batch, fields, outer];
  },

  forward({ x, w, y }, run) {
    const { sizes, four, suffix } = viewOf(x, w);
    const over = [sizes.batch * sizes.fields];
    run(`field_linear_forward${suffix}`, { [`x${four}`]: x, [`w${four}`]: w, y }, sizes, over);
  },

  backward({ x, w, dy, dx, dw }, run) {
    const { sizes, four, suffix } = viewOf(x, w);
    const over = [sizes.batch * sizes.fields];
    if (dx) run(`field_linear_backward_x${suffix}`, { [`w${four}`]: w, dy, [`dx${four}`]: dx }, sizes, over);
    if (dw) backwardW(x, w, dy, dw, run);
  },
});
