import { defineOp } from '../op.js';
import { dims } from '../shape.js';

const widths = (dim: number) =>
  dim % 4 === 0
    ? ({ suffix: '_vec4', four: '4', width: dim / 4 } as const)
    : ({ suffix: '', four: '', width: dim } as const);

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

  forward({ e, y }, run) {
    const [batch, fields, dim] = e.shape;
    const { suffix, four, width } = widths(dim);
    const buffers = { [`e${four}`]: e, [`y${four}`]: y };
    run(`fm_pooled_forward${suffix}`, buffers, { batch, fields, width }, [batch * width]);
  },

  backward({ e, dy, de }, run) {
    if (de === undefined) return;
    const [batch, fields, dim] = e.shape;
    const { suffix, four, width } = widths(dim);
    const buffers = { [`e${four}`]: e, [`dy${four}`]: dy, [`de${four}`]: de };
    run(`fm_pooled_backward${suffix}`, buffers, { batch, fields, width }, [batch * width]);
  },
});

/** Sum of all pairwise inner products of the fields: e [B,F,D] → y [B,1]. Rendle 2010, lemma 3.1. */
export const fmPairs = defineOp('fm_pairs', ['e'], {
  shape: ({ e }) => [dims(e, 3, 'fm_pairs: e')[0], 1],

  forward({ e, y }, run) {
    const [batch, fields, dim] = e.shape;
    const { suffix, four, width } = widths(dim);
    run(`fm_pairs_forward${suffix}`, { [`e${four}`]: e, y }, { batch, fields, width }, [batch]);
  },

  backward({ e, dy, de }, run) {
    if (de === undefined) return;
    const [batch, fields, dim] = e.shape;
    const { suffix, four, width } = widths(dim);
    const buffers = { [`e${four}`]: e, dy, [`de${four}`]: de };
    run(`fm_pairs_backward${suffix}`, buffers, { batch, fields, width }, [batch * width]);
  },
});
