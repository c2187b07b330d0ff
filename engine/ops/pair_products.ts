import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';

function viewOf({ shape: [batch, fields, dim] }: Tensor) {
  const { lanes, four, suffix } = rowView(dim);
  const pairs = (fields * (fields - 1)) / 2;
  return { sizes: { batch, fields, pairs, width: dim / lanes }, four, suffix };
}

/**
 * Products of all pairs of fields, element by element: e [B,F,D] → y [B,P,D], P = F·(F − 1)/2, pairs in the order (0,1),
 * (0,2), … (F−2,F−1). Throws ShapeError for a single field.
 */
export const pairProducts = defineOp('pair_products', ['e'], {
  shape({ e }) {
    const [batch, fields, dim] = dims(e, 3, 'pair_products: e');
    if (fields < 2) {
      throw new ShapeError(
        `pair_products: e ${format(e.shape)} has ${fields} field, but pairs need 2 or more`,
      );
    }
    return [batch, (fields * (fields - 1)) / 2, dim];
  },

  forward({ e, y }, run) {
    const { sizes, four, suffix } = viewOf(e);
    run(`pair_products_forward${suffix}`, { [`e${four}`]: e, [`y${four}`]: y }, sizes, [sizes.batch]);
  },

  backward({ e, dy, de }, run) {
    if (de === undefined) return;
    const { sizes, four, suffix } = viewOf(e);
    const buffers = { [`e${four}`]: e, [`dy${four}`]: dy, [`de${four}`]: de };
    run(`pair_products_backward${suffix}`, buffers, sizes, [sizes.batch]);
  },
});
