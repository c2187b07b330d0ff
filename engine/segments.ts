/**
 * Groups the ids of a step by row of their table, so that the gradient of a row is one sum in a fixed order. The
 * result is one block of u32 words:
 *
 *   [rows, pieces, 0, 0]
 *   maxRows   × [row, begin, end, firstPiece]   sources[begin..end) belong to the row
 *   maxPieces × [begin, end]                    a row with more than pieceLength sources is summed in pieces
 *   entries   × source                          which id names the row, ascending within a row
 *
 * A source is `example << sourceBits(per) | position`: id `position` of `per` in an example, so that a gradient that
 * has a row for each id and one that has a row for each example are found without a division.
 */
import { checkFits, outsideTable, tooManyRows } from './segment_errors.js';
import { SegmentOrder } from './segment_order.js';
import type { Shape } from './shape.js';

/** Sources that one invocation sums; a longer segment is cut into pieces, summed in a second level. */
export const pieceLength = 64;
export const segmentHeaderWords = 4;

/** Sizes of the block of one step. */
export interface SegmentLayout {
  /** Ids of a step, padding included. */
  readonly entries: number;
  readonly maxRows: number;
  readonly maxPieces: number;
  /** Words from the block of one step to that of the next. */
  readonly stride: number;
}

/** `entries` ids a step that name at most `maxRows` distinct rows. */
export function segmentLayout(entries: number, maxRows: number): SegmentLayout {
  const rows = Math.min(entries, maxRows);
  // A segment longer than pieceLength makes ceil(n / pieceLength) < 2n / pieceLength pieces.
  const maxPieces = Math.max(1, Math.ceil((2 * entries) / pieceLength));
  const stride = Math.ceil((segmentHeaderWords + 4 * rows + 2 * maxPieces + entries) / 4) * 4;
  return { entries, maxRows: rows, maxPieces, stride };
}

/** Which ids are grouped, and what their gradient looks like. */
export interface SegmentRule {
  /** Rows of the table. */
  readonly rows: number;
  /** Consecutive ids that belong to one example. */
  readonly per: number;
  readonly skipPadding: boolean;
  /**
   * Lists rows that missed as many steps side by side instead of as they are first met. The same numbers for each row,
   * sooner; not for norms of all rows together, whose last bits depend on the order.
   */
  readonly byAge?: boolean;
}

/** Whether a step may name a good part of the rows of a table, so that work on all of them is not wasted. */
export const namesMuchOf = (rows: number, { maxRows }: Pick<SegmentLayout, 'maxRows'>): boolean =>
  rows <= 4 * maxRows;

/** Bits of a source that say which of the `per` ids of an example it is. */
export const sourceBits = (per: number): number => Math.ceil(Math.log2(per));

/** Groups steps one after another, reusing its counters. One planner per table size and thread. */
export class SegmentPlanner {
  /** Sources of each row in this step; then, while filling, where its next source goes. Zero between steps. */
  private readonly count: Int32Array;
  private readonly order: SegmentOrder | undefined;

  constructor(private readonly rule: SegmentRule) {
    this.count = new Int32Array(rule.rows);
    this.order = rule.byAge ? new SegmentOrder(rule.rows) : undefined;
  }

  /**
   * Writes the block for `ids` into `out` (at least layout.stride words). Takes fewer ids than layout.entries for a
   * short batch. Throws RangeError for an id outside the table, and for more ids or rows than the layout holds.
   */
  plan(ids: Uint32Array, layout: SegmentLayout, out: Uint32Array): void {
    checkFits(ids.length, layout, out.length);
    // Signed views: V8 keeps int32 in registers, but checks every u32 for whether it needs a double.
    const signedIds = new Int32Array(ids.buffer, ids.byteOffset, ids.length);
    const block = new Int32Array(out.buffer, out.byteOffset, layout.stride);
    const piecesAt = segmentHeaderWords + 4 * layout.maxRows;
    const rowsEnd = countRows(signedIds, this.rule, this.count, block, layout.maxRows);
    this.order?.sort(block, segmentHeaderWords, rowsEnd, this.count);
    block[0] = (rowsEnd - segmentHeaderWords) / 4;
    block[1] = placeRows(this.count, block, rowsEnd, piecesAt, piecesAt + 2 * layout.maxPieces);
    fillSources(signedIds, this.rule, this.count, block);
    for (let at = segmentHeaderWords; at < rowsEnd; at += 4) this.count[block[at]] = 0;
  }
}

/** Counts the sources of every row and lists rows as they are first met; returns where the list ends. */
function countRows(
  ids: Int32Array,
  rule: SegmentRule,
  count: Int32Array,
  block: Int32Array,
  maxRows: number,
) {
  const { rows, skipPadding } = rule;
  let at = segmentHeaderWords;
  // Padding counts as met before, so that it is not listed.
  if (skipPadding) count[0] = 1;
  for (let p = 0; p < ids.length; p++) {
    const row = ids[p];
    if (row >>> 0 >= rows) {
      count.fill(0);
      throw outsideTable(row >>> 0, p, rows);
    }
    const before = count[row];
    count[row] = before + 1;
    // Every row is written and a new one kept: whether it is new is a coin toss that a branch would mispredict.
    block[at] = row;
    at += ((before - 1) >>> 31) << 2;
  }
  if (skipPadding) count[0] = 0;
  if (at > segmentHeaderWords + 4 * maxRows) {
    count.fill(0);
    throw tooManyRows((at - segmentHeaderWords) / 4, maxRows);
  }
  return at;
}

/** Lays out begin, end and pieces of every row; leaves in `count` where its first source goes. Returns the pieces. */
function placeRows(
  count: Int32Array,
  block: Int32Array,
  rowsEnd: number,
  piecesAt: number,
  sourcesAt: number,
) {
  let begin = 0;
  let pieces = 0;
  for (let at = segmentHeaderWords; at < rowsEnd; at += 4) {
    const row = block[at];
    const end = begin + count[row];
    count[row] = sourcesAt + begin;
    block[at + 1] = begin;
    block[at + 2] = end;
    block[at + 3] = pieces;
    if (end - begin > pieceLength) {
      for (let from = begin; from < end; from += pieceLength, pieces++) {
        block[piecesAt + 2 * pieces] = from;
        block[piecesAt + 2 * pieces + 1] = Math.min(from + pieceLength, end);
      }
    }
    begin = end;
  }
  return pieces;
}

function fillSources(
  ids: Int32Array,
  { per, skipPadding }: SegmentRule,
  count: Int32Array,
  block: Int32Array,
) {
  if (per === 1 && !skipPadding) {
    for (let p = 0; p < ids.length; p++) block[count[ids[p]]++] = p;
    return;
  }
  const bits = sourceBits(per);
  for (let first = 0, example = 0; first < ids.length; first += per, example += 1 << bits) {
    const end = Math.min(first + per, ids.length);
    for (let p = first; p < end; p++) {
      const row = ids[p];
      if (row !== 0 || !skipPadding) block[count[row]++] = example + p - first;
    }
  }
}

/** Shape of the input that holds the blocks of `steps` steps. */
export const segmentShape = (layout: SegmentLayout, steps: number): Shape => [steps * layout.stride];

/** How kernels see rows of floats: as vec4s, under variables `x4` and entries `_vec4`, where rows are whole ones. */
export interface RowView {
  readonly lanes: 1 | 4;
  readonly four: '' | '4';
  readonly suffix: '' | '_vec4';
}

export const rowView = (width: number): RowView =>
  width % 4 === 0 ? { lanes: 4, four: '4', suffix: '_vec4' } : { lanes: 1, four: '', suffix: '' };
