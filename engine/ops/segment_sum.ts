import { rowView, segmentShape, type RowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Dispatch, Launch, RowIds, Tape } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** The input from which the groups of `ids` are read. */
export const segmentsOf = (tape: Tape, ids: RowIds): Tensor =>
  tape.input(`segments.${ids.name}`, segmentShape(ids.layout, tape.chunkSteps), 'u32');

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
  const sizes = { width: width / lanes, stride, max_rows: maxRows, max_pieces: maxPieces };
  const run = tape.launcher('segment_sum', 'segment_sum', list);
  const segments = segmentsOf(tape, ids);
  const state = tape.stepState();
  const partials = tape.activation('segment_sum.partials', [maxPieces, width]);
  const buffers = { segments, state, [`source${four}`]: source, [`partials${four}`]: partials };
  run(`segment_sum_pieces${suffix}`, buffers, sizes, [(maxPieces * width) / lanes]);
  return { run, sizes, buffers, partials, ...view };
}

/** Gradients of the rows that the step names: source [..,D] → [maxRows,D]; `clear` zeroes those behind the last. */
export function recordSegmentSum(
  tape: Tape,
  list: Dispatch[],
  ids: RowIds,
  source: Tensor,
  clear: boolean,
): Tensor {
  const { run, sizes, suffix, four, lanes, buffers } = recordSegmentPieces(tape, list, ids, source);
  const width = source.shape[source.shape.length - 1];
  const g = tape.activation('segment_sum.g', [ids.layout.maxRows, width]);
  const over = strided((ids.layout.maxRows * width) / lanes);
  run(`segment_sum_rows${suffix}`, { ...buffers, [`g${four}`]: g }, { ...sizes, clear: clear ? 1 : 0 }, over);
  return g;
}

/** Throws ShapeError unless the table is [V,D] and the sources of its gradient [..,D]. */
export function checkSources(table: Tensor, source: Tensor): void {
  if (source.shape[source.shape.length - 1] === dims(table, 2)[1]) return;
  throw new ShapeError(
    `segment_sum: rows of ${format(source.shape)} do not fit ${table.name} ${format(table.shape)}`,
  );
}

/** The whole gradient of `table` [V,D] from source [..,D]. Throws ShapeError if their widths differ. */
export function recordSegmentScatter(
  tape: Tape,
  list: Dispatch[],
  table: Tensor,
  ids: RowIds,
  source: Tensor,
): Tensor {
  checkSources(table, source);
  const width = table.shape[1];
  const gradient = tape.activation('segment_sum.table', table.shape);
  const quads = Math.ceil((table.shape[0] * width) / 4);
  tape.launcher('fill', 'elementwise', list)('fill_zero', { y: gradient }, { quads }, strided(quads));
  const { run, sizes, suffix, four, lanes, buffers } = recordSegmentPieces(tape, list, ids, source);
  const over = strided((ids.layout.maxRows * width) / lanes);
  run(`segment_sum_scatter${suffix}`, { ...buffers, [`table_gradient${four}`]: gradient }, sizes, over);
  return gradient;
}
