import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { dims } from '../shape.js';
import type { Tensor } from '../tensor.js';

const sizes = ({ shape: [batch, fields, dim] }: Tensor) => ({
  batch,
  fields,
  width: dim / rowView(dim).lanes,
});
const viewOf = (e: Tensor) => rowView(e.shape[2]);

/** The sum over the fields, kept for the backward pass. */
const saves = ({ e }: { readonly e: Tensor }) => ({ sums: [e.shape[0], e.shape[2]] });

/**
 * Sum of all pairwise products of the fields, unsummed over the embedding: e [B,F,D] → y [B,D],
 * ½[(Σ_f e)² − Σ_f e²]. He and Chua 2017, eq. 4 ("bi-interaction"); Rendle 2010, lemma 3.1.
 */
export const fmPooled = defineOp('fm_pooled', ['e'], {
  shader: 'fm_pairs',

  shape({ e }) {
    const [batch, , dim] = dims(e, 3, 'fm_pooled: e');
    return [batch, dim];
  },

  saves,

  forward({ e, sums, y }, run) {
    const { suffix, four } = viewOf(e);
    const buffers = { [`e${four}`]: e, [`sums${four}`]: sums, [`y${four}`]: y };
    run(`fm_pooled_forward${suffix}`, buffers, sizes(e), [e.shape[0]]);
  },

  backward({ e, sums, dy, de }, run) {
    if (de === undefined) return;
    const { suffix, four } = viewOf(e);
    const read = { [`e${four}`]: e, [`sums_forward${four}`]: sums, [`dy${four}`]: dy };
    run(`fm_pooled_backward${suffix}`, { ...read, [`de${four}`]: de }, sizes(e), [e.shape[0]]);
  },
});

/** Sum of all pairwise inner products of the fields: e [B,F,D] → y [B,1]. Rendle 2010, lemma 3.1. */
export const fmPairs = defineOp('fm_pairs', ['e'], {
  shape: ({ e }) => [dims(e, 3, 'fm_pairs: e')[0], 1],

  saves,

  forward({ e, sums, y }, run) {
    const { suffix, four } = viewOf(e);
    const buffers = { [`e${four}`]: e, [`sums${four}`]: sums, y };
    run(`fm_pairs_forward${suffix}`, buffers, sizes(e), [e.shape[0]]);
  },

  backward({ e, sums, dy, de }, run) {
    if (de === undefined) return;
    const { suffix, four } = viewOf(e);
    const read = { [`e${four}`]: e, [`sums_forward${four}`]: sums, dy };
    run(`fm_pairs_backward${suffix}`, { ...read, [`de${four}`]: de }, sizes(e), [e.shape[0]]);
  },
});
