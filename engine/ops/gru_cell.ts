import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

function viewOf(h: Tensor) {
  const [rows, width] = h.shape;
  const { lanes, four, suffix } = rowView(width);
  const columns = width / lanes;
  return { sizes: { rows, width: columns }, over: strided(rows * columns), four, suffix };
}

/**
 * The elementwise part of torch.nn.GRUCell: gi = x·W_ihᵀ + b_ih and gh = h·W_hhᵀ + b_hh [N,3·A], each of them reset gate,
 * update gate and candidate one after another, and the state h [N,A] → the next state [N,A],
 * (1 − z) · tanh(gi_n + σ(gi_r + gh_r) · gh_n) + z · h with z = σ(gi_z + gh_z). Cho et al. 2014, eq. 5-8.
 */
export const gruCell = defineOp('gru_cell', ['gi', 'gh', 'h'], {
  shape({ gi, gh, h }) {
    const [rows, width] = dims(h, 2, 'gru_cell: h');
    for (const [name, t] of Object.entries({ gi, gh })) {
      const [others, parts] = dims(t, 2, `gru_cell: ${name}`);
      if (others !== rows || parts !== 3 * width) {
        const needed = format([rows, 3 * width]);
        throw new ShapeError(
          `gru_cell: h ${format(h.shape)} needs ${name} ${needed}, but it is ${format(t.shape)}`,
        );
      }
    }
    return h.shape;
  },

  saves: ({ gi }) => ({ gates: gi.shape }),

  forward({ gi, gh, h, gates, y }, run) {
    const { sizes, over, four, suffix } = viewOf(h);
    const read = { [`gi${four}`]: gi, [`gh${four}`]: gh, [`h${four}`]: h };
    run(`gru_cell_forward${suffix}`, { ...read, [`gates${four}`]: gates, [`y${four}`]: y }, sizes, over);
  },

  backward({ gi, gh, h, gates, dy, dgi, dgh, dh }, run) {
    const { sizes, over, four, suffix } = viewOf(h);
    const buffers = {
      [`kept${four}`]: gates,
      [`gh${four}`]: gh,
      [`h${four}`]: h,
      [`dy${four}`]: dy,
      [`dgi${four}`]: dgi ?? run.scratch('dgi', gi.shape),
      [`dgh${four}`]: dgh ?? run.scratch('dgh', gh.shape),
      [`dh${four}`]: dh ?? run.scratch('dh', h.shape),
    };
    run(`gru_cell_backward${suffix}`, buffers, sizes, over);
  },
});
