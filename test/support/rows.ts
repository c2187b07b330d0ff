import { SegmentPlanner, type RowIds, type Store } from '../../engine/index.js';

/** Writes the groups of `ids` for one step, as a feed does. */
export function feedSegments(store: Store, rows: RowIds, ids: readonly number[]): void {
  const block = new Uint32Array(rows.layout.stride);
  new SegmentPlanner(rows.rule).plan(Uint32Array.from(ids), rows.layout, block);
  store.write(`segments.${rows.name}`, block);
}
