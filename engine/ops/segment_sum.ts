import { rowView, type RowView } from '../segments.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Dispatch, Launch, RowIds, RowSource, Tape } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { segmentsOf, sourceDims } from './row_ids.js';
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

/** Gradients of the rows that the step names: source [..,D] → [maxRows,D]; `clear` zeroes those behind the last. */
export function recordSegmentSum(
  tape: Tape,
  list: Dispatch[],
  ids: RowIds,
  source: RowSource,
  clear: boolean,
): Tensor {
  if (typeof source === 'function') return source(list, clear);
  const { run, sizes, suffix, four, lanes, buffers } = recordSegmentPieces(tape, list, ids, source);
  const width = source.shape[source.shape.length - 1];
  const g = tape.activation('segment_sum.g', [ids.layout.maxRows, width]);
  const over = strided((ids.layout.maxRows * width) / lanes);
  run(`segment_sum_rows${suffix}`, { ...buffers, [`g${four}`]: g }, { ...sizes, clear: clear ? 1 : 0 }, over);
  return g;
}

/** Throws ShapeError unless the table is [V,D] and the sources of its gradient [..,D]. */
export function checkSources(table: Tensor, source: RowSource): void {
  if (typeof source === 'function' || source.shape[source.shape.length - 1] === dims(table, 2)[1]) return;
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
  source: RowSource,
): Tensor {
  checkSources(table, source);
  const [rows, width] = table.shape;
  const y = tape.activation('segment_sum.table', table.shape);
  const quads = Math.ceil((rows * width) / 4);
  tape.launcher('fill', 'elementwise', list)('fill_zero', { y }, { quads }, strided(quads));
  const g = recordSegmentSum(tape, list, ids, source, false);
  const { lanes, four, suffix } = rowView(width);
  const { stride, maxRows } = ids.layout;
  const read = { segments: segmentsOf(tape, ids), state: tape.stepState(), [`g_rows${four}`]: g };
  const buffers = { ...read, [`table_gradient${four}`]: y };
  const over = strided((maxRows * width) / lanes);
  const run = tape.launcher('segment_sum', 'segment_sum', list);
  run(`segment_sum_scatter${suffix}`, buffers, { width: width / lanes, stride }, over);
  return y;
}
