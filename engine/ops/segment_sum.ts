import { rowView, type RowView } from '../segments.js';
import { ShapeError, dims, format, size } from '../shape.js';
import type { Dispatch, Launch, RowIds, RowSource, RowsTarget, Tape } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { segmentsOf, sourceDims, targetDims } from './row_ids.js';
import { strided } from './strided.js';

interface Pieces extends RowView {
  readonly run: Launch;
  readonly sizes: Readonly<Record<string, number>>;
  readonly buffers: Readonly<Record<string, Tensor>>;
  /** [maxPieces,D] */
  readonly partials: Tensor;
}

/** First level: sums of the pieces of long segments. */
export function recordSegmentPieces(tape: Tape, list: Dispatch[], ids: RowIds, source: Tensor): Pieces {
  const width = source.shape[source.shape.length - 1];
  const view = rowView(width);
  const { lanes, four, suffix } = view;
  const { stride, maxRows, maxPieces } = ids.layout;
  const layout = { stride, max_rows: maxRows, max_pieces: maxPieces };
  const sizes = { width: width / lanes, ...layout, ...sourceDims(ids, source) };
  const run = tape.launcher('segment_sum', 'segment_sum', list);
  const segments = segmentsOf(tape, ids);
  const state = tape.stepState();
  const partials = tape.activation('segment_sum.partials', [maxPieces, width]);
  const buffers = { segments, state, [`source${four}`]: source, [`partials${four}`]: partials };
  run(`segment_sum_pieces${suffix}`, buffers, sizes, [(maxPieces * width) / lanes]);
  return { run, sizes, buffers, partials, ...view };
}

/** Sums the gradients of the rows that the step names, source [..,D], into `target`. */
export function recordRowSums(
  tape: Tape,
  list: Dispatch[],
  ids: RowIds,
  source: RowSource,
  target: RowsTarget,
): void {
  if (typeof source === 'function') {
    source(list, target);
    return;
  }
  const { run, sizes, suffix, four, lanes, buffers } = recordSegmentPieces(tape, list, ids, source);
  const over = strided((ids.layout.maxRows * source.shape[source.shape.length - 1]) / lanes);
  const dims = { ...sizes, ...targetDims(target) };
  run(`segment_sum_rows${suffix}`, { ...buffers, [`g${four}`]: target.g }, dims, over);
}

/** Room for the gradients [maxRows,D] of the rows that a step names. */
export const listedRows = (tape: Tape, { layout }: RowIds, width: number, clear: boolean): RowsTarget => ({
  g: tape.activation('segment_sum.g', [layout.maxRows, width]),
  inTable: false,
  clear,
});

/** Throws ShapeError unless the table is [V,D] and the sources of its gradient [..,D]. */
export function checkSources(table: Tensor, source: RowSource): void {
  if (typeof source === 'function' || source.shape[source.shape.length - 1] === dims(table, 2)[1]) return;
  throw new ShapeError(
    `segment_sum: rows of ${format(source.shape)} do not fit ${table.name} ${format(table.shape)}`,
  );
}

/** The whole gradient of `table` [V,D] from source [..,D]. Throws ShapeError if their widths differ. */
export function recordTableGradient(
  tape: Tape,
  list: Dispatch[],
  table: Tensor,
  ids: RowIds,
  source: RowSource,
): Tensor {
  checkSources(table, source);
  const y = tape.activation('segment_sum.table', table.shape);
  const quads = Math.ceil(size(table.shape) / 4);
  tape.launcher('fill', 'elementwise', list)('fill_zero', { y }, { quads }, strided(quads));
  recordRowSums(tape, list, ids, source, { g: y, inTable: true, clear: false });
  return y;
}
