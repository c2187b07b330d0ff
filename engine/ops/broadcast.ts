import { ShapeError, format, sameShape, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { recordSum, type SumAxes } from './sum.js';
import { trace } from './trace.js';

/** How b is repeated over a: its element for element i of a is b[floor(i / per) mod size]. */
interface Repetition {
  readonly kind: 'scalar' | 'row' | 'column';
  readonly per: number;
  readonly size: number;
  /** The sum over a that belongs to an element of b. */
  readonly axes: SumAxes;
}

function repetition(op: string, a: Tensor, b: Tensor): Repetition {
  const cols = a.shape[a.shape.length - 1];
  const rows = size(a.shape) / cols;
  const is = (...shape: readonly number[]) => sameShape(b.shape, shape);
  if (is(1)) {
    return { kind: 'scalar', per: rows * cols, size: 1, axes: { outer: 1, count: rows * cols, inner: 1 } };
  }
  if (is(cols)) return { kind: 'row', per: 1, size: cols, axes: { outer: 1, count: rows, inner: cols } };
  const column = [...a.shape.slice(0, -1), 1];
  if (is(...column)) {
    return { kind: 'column', per: cols, size: rows, axes: { outer: rows, count: cols, inner: 1 } };
  }
  const fitting = new Set([a.shape, [1], [cols], column].map(format));
  throw new ShapeError(
    `${op}: a ${format(a.shape)} and b ${format(b.shape)} disagree; b may be ${[...fitting].join(', ')}`,
  );
}

/** y = a + factor · b or y = a · b, b repeated. */
function launch(
  run: Run,
  kind: 'add' | 'mul',
  a: Tensor,
  b: Tensor,
  y: Tensor,
  r: Repetition,
  factor = 1,
): void {
  const entry = `broadcast_${kind}`;
  const count = size(a.shape);
  const quads = Math.ceil(count / 4);
  // Buffers are whole vec4s, so a scalar always goes by vec4s.
  if (r.kind === 'scalar' || (r.kind === 'column' && r.per % 4 === 0)) {
    const dims = { count: quads, per: Math.ceil(r.per / 4), factor };
    run(`${entry}_column`, { a4: a, b, y4: y }, dims, [quads]);
  } else if (r.kind === 'row' && r.size % 4 === 0) {
    run(`${entry}_row`, { a4: a, b4: b, y4: y }, { count: quads, size: r.size / 4, factor }, [quads]);
  } else {
    run(entry, { a, b, y }, { count, per: r.per, size: r.size, factor }, [count]);
  }
}

/**
 * The part of add, sub and mul where b is a scalar [1], a row [N] or a column [..,1] under a [..,N]. Throws ShapeError
 * for other shapes; in particular b is never the larger one.
 */
export function broadcast(op: 'add' | 'sub' | 'mul', a: Tensor, b: Tensor): Tensor {
  const r = repetition(op, a, b);
  const factor = op === 'sub' ? -1 : 1;
  const kind = op === 'mul' ? 'mul' : 'add';
  return trace({
    op,
    shader: 'broadcast',
    inputs: [a, b],
    shape: a.shape,
    forward: (y, run) => launch(run, kind, a, b, y, r, factor),
    backward(i, dy, run) {
      if (i === 0 && op !== 'mul') return dy;
      if (i === 0) {
        const da = run.scratch('da', a.shape);
        launch(run, 'mul', dy, b, da, r); // da = dy · b
        return da;
      }
      const db = run.scratch('db', b.shape);
      recordSum(run, r.axes, dy, db, factor, op === 'mul' ? a : undefined); // db = ±Σ dy or Σ dy · a
      return db;
    },
  });
}
