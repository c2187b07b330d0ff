import { segmentHeaderWords, type SegmentLayout } from '../../engine/index.js';

/** What a step reads of a block, which leaves alone what it does not use of its room: rows, their pieces, sources. */
export function blockParts(block: Uint32Array, { maxRows, maxPieces }: SegmentLayout): number[][] {
  const [rows, pieces] = block;
  const piecesAt = segmentHeaderWords + 4 * maxRows;
  const sources = rows > 0 ? block[segmentHeaderWords + 4 * rows - 2] : 0;
  const part = (at: number, words: number) => Array.from(block.subarray(at, at + words));
  return [
    part(0, segmentHeaderWords + 4 * rows),
    part(piecesAt, 2 * pieces),
    part(piecesAt + 2 * maxPieces, sources),
  ];
}
