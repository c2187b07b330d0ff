import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, size } from '../shape.js';
import type { RowIds } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

const gather = defineOp('embedding_gather', ['table', 'ids'], {
  shape({ table, ids }, { rule }: RowIds) {
    const [rows, dim] = dims(table, 2, 'embedding_gather: table');
    if (rows !== rule.rows) {
      throw new ShapeError(
        `embedding_gather: ${table.name} has ${rows} rows, but its ids count ${rule.rows}`,
      );
    }
    return [...ids.shape, dim];
  },

  forward({ table, ids, y }, run) {
    const count = size(ids.shape);
    const { lanes, four, suffix } = rowView(table.shape[1]);
    const buffers = { [`table${four}`]: table, ids, [`y${four}`]: y };
    run(
      `embedding_gather_forward${suffix}`,
      buffers,
      { count, width: table.shape[1] / lanes },
      strided(count),
    );
  },

  backward({ table, dy }, run, ids) {
    if (table.needsGrad) run.rows(table, ids, dy);
  },
});

/**
 * Rows of a table: table [V,D], ids [..] → y [..,D]. The gradient is one of rows: see segments.ts. Ops that can read
 * the rows where they are do, and then no copy is made.
 */
export function embeddingGather(table: Tensor, ids: RowIds): Tensor {
  const y = gather(table, ids.ids, ids);
  table.tape.rowsOf.set(y, { table, ids });
  return y;
}
