import { sourceBits } from '../segments.js';
import type { RowSum, TableRows } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { segmentsOf, targetDims } from './row_ids.js';
import { strided } from './strided.js';

/** The two ops on pairs of fields, whose y is [B,D] or [B,1]. */
export type FmOp = 'fm_pooled' | 'fm_pairs';

/** The rows that e [B,F,D] consists of, if kernels can read them where they are. */
export function tableRowsOf(e: Tensor): TableRows | undefined {
  const rows = e.tape.rowsOf.get(e);
  return rows?.ids.rule.per === e.shape[1] && e.shape[2] % 4 === 0 ? rows : undefined;
}

const kindOf = (op: FmOp) =>
  op === 'fm_pooled' ? { kind: 'pooled', four: '4' } : { kind: 'pairs', four: '' };

/** y and the sums S [B,D] over the fields: rows of a table, and those of `rest` [B,R,D]. */
export function forwardOfTable(
  op: FmOp,
  e: Tensor,
  { table, ids }: TableRows,
  sums: Tensor,
  y: Tensor,
  rest?: Tensor,
): void {
  const [batch, fields, dim] = e.shape;
  const { kind, four } = kindOf(op);
  e.tape.launcher(op, 'fm_table', e.tape.forward, [y, sums])(
    `fm_table_${kind}_forward`,
    { table4: table, ids: ids.ids, sums4: sums, [`y${four}`]: y, rest4: rest ?? table },
    { batch, fields, rest: rest?.shape[1] ?? 0, width: dim / 4 },
    [batch],
  );
}

/** How the gradient of the table is summed from dy and S, without one of e. */
export function rowSumOf(op: FmOp, e: Tensor, { table, ids }: TableRows, sums: Tensor, dy: Tensor): RowSum {
  const [, fields, dim] = e.shape;
  const { tape } = e;
  const { kind, four } = kindOf(op);
  const { stride, maxRows: max_rows, maxPieces: max_pieces } = ids.layout;
  const sizes = { width: dim / 4, stride, max_rows, max_pieces, example_bits: sourceBits(fields) };
  const read = { table4: table, sums_forward4: sums, [`dy${four}`]: dy };
  const pairs = op === 'fm_pairs';
  const record: RowSum = (list, target) => {
    const run = tape.launcher(op, 'fm_row_sums', list);
    const partials4 = tape.activation(`${op}.partials`, [max_pieces, pairs ? dim + 4 : dim]);
    const buffers = { ...read, segments: segmentsOf(tape, ids), state: tape.stepState(), partials4 };
    const over = (rows: number) => strided((rows * dim) / 4);
    run(`fm_row_sums_${kind}_pieces`, { ...buffers, ids: ids.ids }, { ...sizes, fields }, over(max_pieces));
    const first = pairs && (target.beside ?? tape.activation(`${op}.first`, [target.g.shape[0], 1]));
    const written = { ...buffers, g4: target.g, ...(first && { first }) };
    run(`fm_row_sums_${kind}`, written, { ...sizes, ...targetDims(target) }, over(max_rows));
  };
  return pairs ? Object.assign(record, { beside: { ids, source: dy } }) : record;
}
