import { ShapeError, format, sameShape, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { recordSum, type SumAxes } from './sums.js';
import { strided } from './strided.js';
import { trace } from './trace.js';

/** How b is repeated over a [rows,cols]. */
interface Repetition {
  readonly kind: 'scalar' | 'row' | 'column';
  readonly rows: number;
  readonly cols: number;
  /** The sum over a that belongs to an element of b. */
  readonly axes: SumAxes;
}

/** Rows that one invocation takes. */
const block = 8;

function repetition(op: string, a: Tensor, b: Tensor): Repetition {
  const cols = a.shape[a.shape.length - 1];
  const rows = size(a.shape) / cols;
  const column = [...a.shape.slice(0, -1), 1];
  const is = (...shape: readonly number[]) => sameShape(b.shape, shape);
  if (is(1)) return { kind: 'scalar', rows, cols, axes: { outer: 1, count: rows * cols, inner: 1 } };
  if (is(cols)) return { kind: 'row', rows, cols, axes: { outer: 1, count: rows, inner: cols } };
  if (is(...column)) return { kind: 'column', rows, cols, axes: { outer: rows, count: cols, inner: 1 } };
  const fitting = new Set([a.shape, [1], [cols], column].map(format));
  throw new ShapeError(
    `${op}: a ${format(a.shape)} and b ${format(b.shape)} disagree; b may be ${[...fitting].join(', ')}`,
  );
}

/** y = a + factor · b or y = a · b, b repeated. */
function launch(
  run: Run,
  name: 'add' | 'mul',
  operands: readonly Tensor[],
  y: Tensor,
  r: Repetition,
  factor = 1,
) {
  const [a, b] = operands;
  const entry = `broadcast_${name}`;
  const { kind, rows, cols } = r;
  // Buffers are whole vec4s, so a scalar always goes by vec4s.
  if (kind === 'scalar' || cols % 4 === 0) {
    const count = Math.ceil((rows * cols) / 4);
    const buffers = { a4: a, [kind === 'row' ? 'b4' : 'b']: b, y4: y };
    run(
      `${entry}_${kind}`,
      buffers,
      { count, factor, ...(kind !== 'scalar' && { cols: cols / 4 }) },
      strided(count),
    );
  } else {
    const steps = kind === 'row' ? { row_step: 0, col_step: 1 } : { row_step: 1, col_step: 0 };
    const count = Math.ceil(rows / block) * cols;
    run(entry, { a, b, y }, { count, rows, cols, block, factor, ...steps }, [count]);
  }
}

/**
 * The part of add, sub and mul where b is a scalar [1], a row [N] or a column [..,1] under a [..,N]. Throws
 * ShapeError for other shapes; in particular b is never the larger one.
 */
export function broadcast(op: 'add' | 'sub' | 'mul', a: Tensor, b: Tensor): Tensor {
  const r = repetition(op, a, b);
  const factor = op === 'sub' ? -1 : 1;
  const name = op === 'mul' ? 'mul' : 'add';
  return trace({
    op,
    shader: 'broadcast',
    inputs: [a, b],
    shape: a.shape,
    forward: (y, run) => launch(run, name, [a, b], y, r, factor),
    backward(i, dy, run) {
      if (i === 0 && op !== 'mul') return dy;
      if (i === 0) {
        const da = run.scratch('da', a.shape);
        launch(run, 'mul', [dy, b], da, r); // da = dy · b
        return da;
      }
      const db = run.scratch('db', b.shape);
      recordSum(run, r.axes, dy, db, factor, op === 'mul' ? a : undefined); // db = ±Σ dy or Σ dy · a
      return db;
    },
  });
}
