import { defineOp } from '../op.js';
import { ShapeError, dims, size } from '../shape.js';
import type { RowIds } from '../tape.js';
import type { Tensor } from '../tensor.js';

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
    const width = table.shape[1];
    if (width % 4 === 0) {
      const over = [(count * width) / 4];
      run('embedding_gather_forward_vec4', { table4: table, ids, y4: y }, { count, width: width / 4 }, over);
    } else {
      run('embedding_gather_forward', { table, ids, y }, { count, width }, [count * width]);
    }
  },

  backward({ table, dy }, run, ids) {
    if (table.needsGrad) run.rows(table, ids, dy);
  },
});

/** Rows of a table: table [V,D], ids [..] → y [..,D]. The gradient is one of rows: see segments.ts. */
export const embeddingGather = (table: Tensor, ids: RowIds): Tensor => gather(table, ids.ids, ids);
