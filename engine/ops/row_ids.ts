import { segmentLayout, segmentShape, sourceBits } from '../segments.js';
import { size } from '../shape.js';
import type { RowIds, RowsTarget, Tape } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** How ids index a table. */
export interface RowIdsSpec {
  /** Names the input `segments.<name>` from which the groups of the ids are read. */
  readonly name: string;
  /** Rows of the table. */
  readonly rows: number;
  /** Most distinct rows in a step, if known to be fewer than the ids. */
  readonly maxRows?: number;
  /** Consecutive ids that belong to one example (its fields, a sequence); 1 by default. */
  readonly per?: number;
  /** Id 0 is padding. */
  readonly skipPadding?: boolean;
  /** Ids of the longest batch that reads the same feed; by default those of `ids`. */
  readonly capacity?: number;
}

/** Declares `ids` (u32, any shape) as row numbers of a table. */
export function rowIds(ids: Tensor, spec: RowIdsSpec): RowIds {
  const { name, rows, per = 1, skipPadding = false, capacity = size(ids.shape) } = spec;
  const maxRows = Math.min(rows, spec.maxRows ?? rows);
  return { name, ids, layout: segmentLayout(capacity, maxRows), rule: { rows, per, skipPadding } };
}

/** The input from which the groups of `ids` are read. */
export const segmentsOf = (tape: Tape, ids: RowIds): Tensor =>
  tape.input(`segments.${ids.name}`, segmentShape(ids.layout, tape.chunkSteps), 'u32');

/** How kernels find the row of `source` that a source of the block means: see segments.ts. */
export function sourceDims({ ids, rule: { per } }: RowIds, source: Tensor) {
  const bits = sourceBits(per);
  const each = size(source.shape) === size(ids.shape) * source.shape[source.shape.length - 1];
  return each
    ? { example_bits: bits, example_rows: per, position_mask: 2 ** bits - 1 }
    : { example_bits: bits, example_rows: 1, position_mask: 0 };
}

/** How kernels find where the gradient of a row goes. */
export const targetDims = ({ inTable, clear }: RowsTarget) => ({
  in_table: inTable ? 1 : 0,
  clear: clear ? 1 : 0,
});
