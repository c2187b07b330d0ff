import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';

function viewOf({ shape: [batch, fields, , dim] }: Tensor) {
  const { lanes, four, suffix } = rowView(dim);
  return { sizes: { batch, fields, width: dim / lanes }, four, suffix };
}

/**
 * Sum of the pair products of features that have an embedding for each field: v [B,F,F,D] → y [B,D],
 * Σ_{i<j} v[b,j,i] · v[b,i,j] element by element, v[b,f,i] that of feature i for field f. Juan et al., Field-aware
 * Factorization Machines, RecSys 2016, eq. 4, unsummed over the embedding.
 */
export const fieldAwarePairs = defineOp('field_aware_pairs', ['v'], {
  shape({ v }) {
    const [batch, fields, features, dim] = dims(v, 4, 'field_aware_pairs: v');
    if (fields !== features) {
      const what = `${fields} fields against ${features} features`;
      throw new ShapeError(`field_aware_pairs: v ${format(v.shape)} disagrees with itself: ${what}`);
    }
    return [batch, dim];
  },

  forward({ v, y }, run) {
    const { sizes, four, suffix } = viewOf(v);
    run(`field_aware_pairs_forward${suffix}`, { [`v${four}`]: v, [`y${four}`]: y }, sizes, [sizes.batch]);
  },

  backward({ v, dy, dv }, run) {
    if (dv === undefined) return;
    const { sizes, four, suffix } = viewOf(v);
    const buffers = { [`v${four}`]: v, [`dy${four}`]: dy, [`dv${four}`]: dv };
    run(`field_aware_pairs_backward${suffix}`, buffers, sizes, [sizes.batch]);
  },
});
