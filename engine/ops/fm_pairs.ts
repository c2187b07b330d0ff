import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { dims, type Shape } from '../shape.js';
import type { TableRows } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { fmMixed, mixedFieldsOf } from './fm_mixed.js';
import { forwardOfTable, rowSumOf, tableRowsOf, type FmOp } from './fm_table.js';

/** Both ops differ in y: [B,D], or [B,1] which is read by numbers. */
const fm = (name: FmOp, shapeOf: (batch: number, dim: number) => Shape) =>
  defineOp(name, ['e'], {
    shader: 'fm_pairs',

    shape({ e }, _: { readonly rows?: TableRows }) {
      const [batch, , dim] = dims(e, 3, `${name}: e`);
      return shapeOf(batch, dim);
    },

    /** The sum over the fields, kept for the backward pass. */
    saves: ({ e }) => ({ sums: [e.shape[0], e.shape[2]] }),

    forward({ e, sums, y }, run, { rows }) {
      if (rows) {
        forwardOfTable(name, e, rows, sums, y);
        return;
      }
      const { sizes, suffix, four, wide } = viewOf(name, e);
      const buffers = { [`e${four}`]: e, [`sums${four}`]: sums, [`y${wide}`]: y };
      run(`${name}_forward${suffix}`, buffers, sizes, [e.shape[0]]);
    },

    backward({ e, sums, dy, de }, run, { rows }) {
      if (de === undefined) return;
      // Who else reads e gives it a gradient, so that its own is needed too.
      if (rows && e.tape.readersOf(e).length === 1) {
        run.rows(rows.table, rows.ids, rowSumOf(name, e, rows, sums, dy));
        return;
      }
      const { sizes, suffix, four, wide } = viewOf(name, e);
      const read = { [`e${four}`]: e, [`sums_forward${four}`]: sums, [`dy${wide}`]: dy };
      run(`${name}_backward${suffix}`, { ...read, [`de${four}`]: de }, sizes, [e.shape[0]]);
    },
  });

function viewOf(name: FmOp, { shape: [batch, fields, dim] }: Tensor) {
  const { lanes, four, suffix } = rowView(dim);
  const wide = name === 'fm_pooled' ? four : '';
  return { sizes: { batch, fields, width: dim / lanes }, suffix, four, wide };
}

/** The op on a tensor of fields, on rows of a table, or on both side by side. */
function fmOf(name: FmOp, shapeOf: (batch: number, dim: number) => Shape): (e: Tensor) => Tensor {
  const [plain, mixed] = [fm(name, shapeOf), fmMixed(name, shapeOf)];
  return (e) => {
    const fields = mixedFieldsOf(e);
    return fields === undefined ? plain(e, { rows: tableRowsOf(e) }) : mixed(fields);
  };
}

/**
 * Sum of all pairwise products of the fields, unsummed over the embedding: e [B,F,D] → y [B,D],
 * ½[(Σ_f e)² − Σ_f e²]. He and Chua 2017, eq. 4 ("bi-interaction"); Rendle 2010, lemma 3.1.
 */
export const fmPooled = fmOf('fm_pooled', (batch, dim) => [batch, dim]);

/** Sum of all pairwise inner products of the fields: e [B,F,D] → y [B,1]. Rendle 2010, lemma 3.1. */
export const fmPairs = fmOf('fm_pairs', (batch) => [batch, 1]);
