import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims } from '../shape.js';
import type { RowIds } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

export type PoolMode = 'mean' | 'sum';

interface Pool {
  readonly ids: RowIds;
  readonly mode: PoolMode;
}

const pool = defineOp('embedding_pool', ['table', 'ids'], {
  shape({ table, ids }, { ids: { rule } }: Pool) {
    const [rows, dim] = dims(table, 2, 'embedding_pool: table');
    const [batch, length] = dims(ids, 2, 'embedding_pool: ids');
    if (rows !== rule.rows) {
      throw new ShapeError(`embedding_pool: ${table.name} has ${rows} rows, but its ids count ${rule.rows}`);
    }
    if (rule.per !== length) {
      throw new ShapeError(
        `embedding_pool: ids of sequences of ${length} need per=${length}, but have per=${rule.per}`,
      );
    }
    return [batch, dim];
  },

  forward({ table, ids, y }, run, { ids: { rule }, mode }) {
    const [batch, length] = ids.shape;
    const { lanes, four, suffix } = rowView(table.shape[1]);
    const flags = { mean: mode === 'mean' ? 1 : 0, padded: rule.skipPadding ? 1 : 0 };
    const dims = { batch, length, width: table.shape[1] / lanes, ...flags };
    const buffers = { [`table${four}`]: table, ids, [`y${four}`]: y };
    run(`embedding_pool_forward${suffix}`, buffers, dims, strided(batch));
  },

  backward({ table, ids: t, dy }, run, { ids, mode }) {
    if (!table.needsGrad) return;
    if (mode === 'sum') {
      run.rows(table, ids, dy);
      return;
    }
    const [batch, length] = t.shape;
    const { lanes, four, suffix } = rowView(table.shape[1]);
    const share = run.scratch('share', dy.shape);
    const buffers = { ids: t, [`dy${four}`]: dy, [`share${four}`]: share };
    const padded = ids.rule.skipPadding ? 1 : 0;
    const dims = { batch, length, width: table.shape[1] / lanes, padded };
    run(`embedding_pool_backward${suffix}`, buffers, dims, strided(batch));
    run.rows(table, ids, share);
  },
});

/**
 * Pools the rows of each sequence: table [V,D], ids [B,L] → y [B,D], their mean (or sum); where 0 is padding, over the
 * ids that are not 0, and zeros for an empty sequence. As the reference, the mean divides by count + 1e-8 in f32, which is
 * count itself.
 */
export const embeddingPool = (table: Tensor, ids: RowIds, mode: PoolMode): Tensor =>
  pool(table, ids.ids, { ids, mode });
