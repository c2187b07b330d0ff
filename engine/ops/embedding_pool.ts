import { defineOp } from '../op.js';
import { ShapeError, dims } from '../shape.js';
import type { RowIds } from '../tape.js';
import type { Tensor } from '../tensor.js';

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
    if (rule.per !== length || !rule.skipPadding) {
      throw new ShapeError(
        `embedding_pool: ids of sequences of ${length} need per=${length} and skipPadding, but have per=${rule.per}` +
          ` and skipPadding=${rule.skipPadding}`,
      );
    }
    return [batch, dim];
  },

  forward({ table, ids, y }, run, { mode }) {
    const [batch, length] = ids.shape;
    const width = table.shape[1];
    const mean = mode === 'mean' ? 1 : 0;
    run('embedding_pool_forward', { table, ids, y }, { batch, length, width, mean }, [batch * width]);
  },

  backward({ table, ids: t, dy }, run, { ids, mode }) {
    if (!table.needsGrad) return;
    if (mode === 'sum') {
      run.rows(table, ids, dy);
      return;
    }
    const [batch, length] = t.shape;
    const width = table.shape[1];
    const share = run.scratch('share', dy.shape);
    run('embedding_pool_backward', { ids: t, dy, share }, { batch, length, width }, [batch * width]);
    run.rows(table, ids, share);
  },
});

/**
 * Pools the rows of each sequence: table [V,D], ids [B,L] right-padded with 0 → y [B,D], their mean (or sum) over the
 * ids that are not 0; zeros for an empty sequence. As the reference, the mean divides by count + 1e-8 in f32, which is
 * count itself.
 */
export const embeddingPool = (table: Tensor, ids: RowIds, mode: PoolMode): Tensor =>
  pool(table, ids.ids, { ids, mode });
