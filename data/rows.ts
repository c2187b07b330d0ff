/** Rows of a table, in an order. */
export interface Selection {
  readonly count: number;
  /** Their numbers; null for all rows in the order of the file, which need no list of millions to be gone through. */
  readonly list: Uint32Array | null;
}

/** All rows of a table of `count`, in its order. */
export const everyRow = (count: number): Selection => ({ count, list: null });

/** The rows of `list`. */
export const rowsOf = (list: Uint32Array): Selection => ({ count: list.length, list });

/** The numbers of the rows. */
export const listed = ({ count, list }: Selection): Uint32Array => list ?? allRows(count);

/** 0 .. count - 1. */
export function allRows(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

/** The rows whose id is allowed, in their order: allowed[ids[row]] = 1. Several times faster than a callback per row. */
export function allowedRows(rows: Selection, ids: Uint32Array, allowed: Uint8Array): Selection {
  const { list } = rows;
  let count = 0;
  if (list === null) while (count < rows.count && allowed[ids[count]] === 1) count++;
  else while (count < rows.count && allowed[ids[list[count]]] === 1) count++;
  // Mostly none has to go, and what is not written costs half.
  if (count === rows.count) return rows;
  const kept = list === null ? allRows(rows.count) : list.slice();
  for (let i = count; i < rows.count; i++) {
    const row = kept[i];
    kept[count] = row;
    count += allowed[ids[row]];
  }
  return rowsOf(kept.slice(0, count));
}

/** How many of the rows have each id, written to `counts`. */
export function countIds({ count, list }: Selection, ids: Uint32Array, counts: Uint32Array): void {
  counts.fill(0);
  if (list === null) for (let row = 0; row < count; row++) counts[ids[row]]++;
  else for (let i = 0; i < count; i++) counts[ids[list[i]]]++;
}
