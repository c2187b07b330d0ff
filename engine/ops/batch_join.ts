import { ShapeError, dims, format } from '../shape.js';
import type { Tape } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** Which columns of which table go where. */
export interface JoinSpan {
  /** u32 or f32 words [N,W]; the fed rows themselves where no key is given. */
  readonly source?: Tensor;
  /** Column of the fed rows that holds the row number of `source`. */
  readonly key?: number;
  readonly sourceColumn: number;
  readonly target: Tensor;
  readonly targetColumn: number;
  readonly columns: number;
}

/** Width of a row: the product of all axes but the first. */
const width = (t: Tensor) => t.shape.slice(1).reduce((product, axis) => product * axis, 1);

/**
 * Fills columns of `target` [B,..] for the current batch of the fed rows [chunkSteps · capacity, W]: word for word from
 * the rows, or from a table that a column of theirs points into (a user's features by user id). No gradient passes.
 * Throws ShapeError if the columns do not exist.
 */
export function batchJoin(tape: Tape, rows: Tensor, capacity: number, span: JoinSpan): void {
  const { source = rows, key, sourceColumn, target, targetColumn, columns } = span;
  const [, rowWidth] = dims(rows, 2, 'batch_join: rows');
  if (
    sourceColumn + columns > width(source) ||
    targetColumn + columns > width(target) ||
    (key ?? 0) >= rowWidth
  ) {
    throw new ShapeError(
      `batch_join: ${columns} columns from ${sourceColumn} of ${source.name} ${format(source.shape)} to ` +
        `${targetColumn} of ${target.name} ${format(target.shape)} do not exist`,
    );
  }
  const batch = target.shape[0];
  const run = tape.launcher('batch_join', 'batch_join', tape.forward, [target]);
  const whole = key === undefined && columns === rowWidth && columns === width(target);
  if (whole && (capacity * rowWidth) % 4 === 0) {
    const sizes = { batch, capacity, row_width: rowWidth };
    const buffers = { rows4: rows, joined4: target, state: tape.stepState() };
    run('batch_join_whole', buffers, sizes, strided(Math.ceil((batch * rowWidth) / 4)));
    return;
  }
  run(
    key === undefined ? 'batch_join_rows' : 'batch_join_keyed',
    key === undefined
      ? { rows, joined: target, state: tape.stepState() }
      : { rows, source, joined: target, state: tape.stepState() },
    {
      batch,
      capacity,
      row_width: rowWidth,
      ...(key === undefined ? {} : { key, source_width: width(source) }),
      source_column: sourceColumn,
      joined_width: width(target),
      joined_column: targetColumn,
      columns,
    },
    [batch],
  );
}
