import { defineOp } from '../op.js';
import { ShapeError, dims, format, type Shape } from '../shape.js';
import type { TableRows } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { concat } from './concat.js';
import { forwardOfTable, rowSumOf, tableRowsOf, type FmOp } from './fm_table.js';

/** Fields of which some are rows of a table, that kernels can read where they are. */
export interface MixedFields {
  /** All fields [B,F+R,D], which nobody need put side by side. */
  readonly whole: Tensor;
  /** Those that are rows [B,F,D], which nobody need copy. */
  readonly e: Tensor;
  readonly rows: TableRows;
  /** The others [B,R,D]. */
  readonly rest: Tensor;
}

/** The parts of `whole` [B,F,D], if it is one table's rows beside something else. */
export function mixedFieldsOf(whole: Tensor): MixedFields | undefined {
  const parts = whole.tape.partsOf.get(whole) ?? [];
  const found = parts.flatMap((e) => {
    const rows = tableRowsOf(e);
    return rows === undefined ? [] : [{ e, rows }];
  });
  if (found.length !== 1) return undefined;
  const others = parts.filter((part) => part !== found[0].e);
  return { whole, ...found[0], rest: concat(others, 1) };
}

/** The op `name` on mixed fields; `shapeOf` is that of y for so many examples of that dim. */
export const fmMixed = (name: FmOp, shapeOf: (batch: number, dim: number) => Shape) => {
  const op = defineOp(name, ['e', 'rest'], {
    shader: 'fm_pairs',

    shape({ e, rest }, _: MixedFields) {
      const [batch, , dim] = dims(e, 3, `${name}: e`);
      const [rows, , width] = dims(rest, 3, `${name}: rest`);
      if (rows === batch && width === dim) return shapeOf(batch, dim);
      throw new ShapeError(`${name}: ${format(e.shape)} and ${format(rest.shape)} differ beside axis 1`);
    },

    saves: ({ e }) => ({ sums: [e.shape[0], e.shape[2]] }),

    forward: ({ e, rest, sums, y }, _, { rows }) => forwardOfTable(name, e, rows, sums, y, rest),

    backward({ e, rest, sums, dy, de, drest }, run, { rows, whole }) {
      const [batch, , dim] = e.shape;
      const wide = name === 'fm_pooled' ? '4' : '';
      const spread = (t: Tensor, dt: Tensor) => {
        const buffers = { e4: t, sums_forward4: sums, [`dy${wide}`]: dy, de4: dt };
        run(`${name}_backward_vec4`, buffers, { batch, fields: t.shape[1], width: dim / 4 }, [batch]);
      };
      if (drest) spread(rest, drest);
      // Who else reads e, or all fields, gives it a gradient, so that its own is needed too.
      const { tape } = e;
      const others = tape.readersOf(e).filter(({ output }) => output !== whole);
      if (de && others.length === 1 && tape.readersOf(whole).length === 0) {
        run.rows(rows.table, rows.ids, rowSumOf(name, e, rows, sums, dy));
      } else if (de) spread(e, de);
    },
  });
  return (fields: MixedFields): Tensor => op(fields.e, fields.rest, fields);
};
