import { sourceBits } from '../segments.js';
import type { RowSum, TableRows } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { segmentsOf } from './row_ids.js';
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
  const first = pairs ? tape.activation(`${op}.first`, [max_rows, 1]) : undefined;
  const record: RowSum = (list, clear) => {
    const run = tape.launcher(op, 'fm_table', list);
    const partials4 = tape.activation(`${op}.partials`, [max_pieces, pairs ? dim + 4 : dim]);
    const g = tape.activation(`${op}.g`, [max_rows, dim]);
    const buffers = { ...read, segments: segmentsOf(tape, ids), state: tape.stepState(), partials4 };
    const over = (rows: number) => strided((rows * dim) / 4);
    run(`fm_table_${kind}_pieces`, { ...buffers, ids: ids.ids }, { ...sizes, fields }, over(max_pieces));
    const written = { ...buffers, g4: g, ...(first && { first }) };
    run(`fm_table_${kind}_rows`, written, { ...sizes, clear: clear ? 1 : 0 }, over(max_rows));
    return g;
  };
  return first === undefined ? record : Object.assign(record, { beside: { ids, source: dy, sum: first } });
}
