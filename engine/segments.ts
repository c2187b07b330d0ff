/**
 * Groups the ids of a step by row of their table, so that the gradient of a row is one sum in a fixed order. The
 * result is one block of u32 words:
 *
 *   [rows, pieces, 0, 0]
 *   maxRows   × [row, begin, end, firstPiece]   sources[begin..end) belong to the row
 *   maxPieces × [begin, end]                    a row with more than pieceLength sources is summed in pieces
 *   entries   × source                          rows of the gradient that is gathered, ascending within a row
 */
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
  /** Consecutive ids that share one row of the gradient. */
  readonly per: number;
  readonly skipPadding: boolean;
}

/** Groups steps one after another, reusing its counters. One planner per table size and thread. */
export class SegmentPlanner {
  /** Sources of each row in this step; then, while filling, the next free place. Zero between steps. */
  private readonly count: Uint32Array;

  constructor(private readonly rule: SegmentRule) {
    this.count = new Uint32Array(rule.rows);
  }

  /**
   * Writes the block for `ids` into `out` (at least layout.stride words). Takes fewer ids than layout.entries for a
   * short batch. Throws RangeError for an id outside the table.
   */
  plan(ids: Uint32Array, layout: SegmentLayout, out: Uint32Array): void {
    const rowsAt = segmentHeaderWords;
    const piecesAt = rowsAt + 4 * layout.maxRows;
    const sourcesAt = piecesAt + 2 * layout.maxPieces;
    const rows = this.countRows(ids, out, rowsAt, layout.maxRows);
    out[0] = rows;
    out[1] = this.placeRows(rows, out, rowsAt, piecesAt);
    this.fillSources(ids, out, sourcesAt);
    for (let i = 0; i < rows; i++) this.count[out[rowsAt + 4 * i]] = 0;
  }

  private countRows(ids: Uint32Array, out: Uint32Array, rowsAt: number, maxRows: number): number {
    const { count, rule } = this;
    let rows = 0;
    for (let p = 0; p < ids.length; p++) {
      const row = ids[p];
      if (row >= rule.rows) throw new RangeError(`segments: id ${row} at ${p}, but the table has ${rule.rows} rows`);
      if (row === 0 && rule.skipPadding) continue;
      if (count[row]++ === 0) {
        if (rows === maxRows) throw new RangeError(`segments: more than ${maxRows} distinct rows in a step`);
        out[rowsAt + 4 * rows++] = row;
      }
    }
    return rows;
  }

  /** Lays out begin, end and pieces of every row; leaves in `count` where its first source goes. */
  private placeRows(rows: number, out: Uint32Array, rowsAt: number, piecesAt: number): number {
    let begin = 0;
    let pieces = 0;
    for (let i = 0; i < rows; i++) {
      const at = rowsAt + 4 * i;
      const row = out[at];
      const end = begin + this.count[row];
      this.count[row] = begin;
      out[at + 1] = begin;
      out[at + 2] = end;
      out[at + 3] = pieces;
      if (end - begin > pieceLength) {
        for (let from = begin; from < end; from += pieceLength, pieces++) {
          out[piecesAt + 2 * pieces] = from;
          out[piecesAt + 2 * pieces + 1] = Math.min(from + pieceLength, end);
        }
      }
      begin = end;
    }
    return pieces;
  }

  private fillSources(ids: Uint32Array, out: Uint32Array, sourcesAt: number): void {
    const { count, rule } = this;
    for (let p = 0, source = 0, within = 0; p < ids.length; p++) {
      const row = ids[p];
      if (row !== 0 || !rule.skipPadding) out[sourcesAt + count[row]++] = source;
      if (++within === rule.per) {
        within = 0;
        source++;
      }
    }
  }
}

/** Shape of the input that holds the blocks of `steps` steps. */
export const segmentShape = (layout: SegmentLayout, steps: number): Shape => [steps * layout.stride];
