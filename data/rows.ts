/** 0 .. count - 1. */
export function allRows(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

/** The rows whose id is allowed, in their order: allowed[ids[row]] = 1. Several times faster than a callback per row. */
export function allowedRows(rows: Uint32Array, ids: Uint32Array, allowed: Uint8Array): Uint32Array {
  let count = 0;
  while (count < rows.length && allowed[ids[rows[count]]] === 1) count++;
  // Mostly none has to go, and what is not written costs half.
  if (count === rows.length) return rows;
  const kept = rows.slice();
  for (let i = count; i < rows.length; i++) {
    const row = rows[i];
    kept[count] = row;
    count += allowed[ids[row]];
  }
  return kept.slice(0, count);
}

/** How many of the rows have each id, written to `counts`. */
export function countIds(rows: Uint32Array, ids: Uint32Array, counts: Uint32Array): void {
  counts.fill(0);
  for (let i = 0; i < rows.length; i++) counts[ids[rows[i]]]++;
}
