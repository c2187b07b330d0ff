/** Steps since a row was last named, and sources of a row, from which on they are taken for equal. */
const mostAge = 1023;
const mostSources = 63;

/** Stable counting sort of from[0..n) by `key`, 0 … most. */
function sortBy(from: Int32Array, n: number, into: Int32Array, most: number, key: (row: number) => number) {
  const starts = new Int32Array(most + 2);
  for (let i = 0; i < n; i++) starts[key(from[i]) + 1]++;
  for (let k = 1; k <= most; k++) starts[k] += starts[k - 1];
  for (let i = 0; i < n; i++) into[starts[key(from[i])]++] = from[i];
}

/**
 * Puts side by side the rows of a step that missed equally many steps and, of those, the ones with equally many
 * sources: invocations that run in lockstep then have loops of equal lengths. What a row was given before matters, so
 * the order depends on where a run was resumed; no sum within a row does.
 */
export class SegmentOrder {
  private step = 0;
  /** The step in which each row was last named. */
  private readonly named: Int32Array;
  private readonly byRow: Int32Array;
  private readonly bySources: Int32Array;

  constructor(rows: number) {
    this.named = new Int32Array(rows);
    this.byRow = new Int32Array(rows);
    this.bySources = new Int32Array(rows);
  }

  /** Reorders the row numbers at words begin, begin + 4, … of `block`; count[row] is how many sources a row has. */
  sort(block: Int32Array, begin: number, end: number, count: Int32Array | Uint32Array): void {
    const { byRow, bySources, named } = this;
    const n = (end - begin) / 4;
    const step = ++this.step;
    for (let i = 0; i < n; i++) byRow[i] = block[begin + 4 * i];
    sortBy(byRow, n, bySources, mostSources, (row) => Math.min(count[row], mostSources));
    sortBy(bySources, n, byRow, mostAge, (row) => Math.min(step - named[row], mostAge));
    for (let i = 0; i < n; i++) {
      block[begin + 4 * i] = byRow[i];
      named[byRow[i]] = step;
    }
  }
}
