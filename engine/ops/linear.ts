import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
}

/** Rows × columns of the output that one invocation computes. */
const tile = { rows: 4, cols: 4 } as const;
const tileVec4 = { rows: 4, cols: 8 } as const;
/** Rows of x that one partial sum of dw covers at least: fewer would cost more memory than they save time. */
const minRowsPerSplit = 256;
/** Invocations that keep every adapter busy; a small dw is split over the batch to make as many. */
const enoughInvocations = 4096;

const over = (rows: number, cols: number, { rows: r, cols: c }: { rows: number; cols: number }) =>
  [Math.ceil(rows / r), Math.ceil(cols / c)] as const;

function shape(x: Tensor, w: Tensor, b?: Tensor): readonly number[] {
  const [, inner] = dims(x, 2, 'linear: x');
  const [cols, width] = dims(w, 2, 'linear: w');
  if (inner !== width) {
    throw new ShapeError(
      `linear: x ${format(x.shape)} and w ${format(w.shape)} disagree: ${inner} columns against ${width}`,
    );
  }
  if (b !== undefined && (b.shape.length !== 1 || b.shape[0] !== cols)) {
    throw new ShapeError(`linear: w ${format(w.shape)} needs a bias [${cols}], but b is ${format(b.shape)}`);
  }
  return [x.shape[0], cols];
}

const sizes = (x: Tensor, w: Tensor): Sizes => ({ rows: x.shape[0], inner: x.shape[1], cols: w.shape[0] });

function forward(x: Tensor, w: Tensor, b: Tensor, y: Tensor, run: Run): void {
  const s = sizes(x, w);
  if (s.inner % 4 === 0) {
    run('linear_forward_vec4', { x4: x, w4: w, b, y }, { ...s }, over(s.rows, s.cols, tileVec4));
  } else {
    run('linear_forward', { x, w, b, y }, { ...s }, over(s.rows, s.cols, tile));
  }
}

function backwardX(w: Tensor, dy: Tensor, dx: Tensor, s: Sizes, run: Run): void {
  if (s.inner % 4 === 0 && s.cols % 4 === 0) {
    run('linear_backward_x_vec4', { w4: w, dy4: dy, dx4: dx }, { ...s }, over(s.rows, s.inner, tileVec4));
  } else {
    run('linear_backward_x', { w, dy, dx }, { ...s }, over(s.rows, s.inner, tile));
  }
}

function backwardW(x: Tensor, dy: Tensor, dw: Tensor, s: Sizes, run: Run): void {
  const vec4 = s.inner % 4 === 0 && s.cols % 4 === 0;
  const [ny, nx] = over(s.cols, s.inner, vec4 ? tileVec4 : tile);
  const wanted = Math.ceil(enoughInvocations / (nx * ny));
  const splits = Math.max(1, Math.min(wanted, Math.floor(s.rows / minRowsPerSplit)));
  const perSplit = Math.ceil(s.rows / splits);
  const partials = splits === 1 ? dw : run.scratch('dw_partials', [splits, s.cols, s.inner]);
  const buffers: Record<string, Tensor> = vec4 ? { x4: x, dy4: dy, dw4: partials } : { x, dy, dw: partials };
  run(`linear_backward_w${vec4 ? '_vec4' : ''}`, buffers, { ...s, per_split: perSplit }, [nx, ny, splits]);
  if (splits > 1) sumPartials(partials, dw, splits, s.cols * s.inner, run);
}

function backwardB(dy: Tensor, db: Tensor, { rows, cols }: Sizes, run: Run): void {
  const splits = Math.max(1, Math.ceil(rows / 64)); // 64 rows: short enough sums to use every core
  const partials = splits === 1 ? db : run.scratch('db_partials', [splits, cols]);
  run('linear_backward_b', { dy, db: partials }, { rows, cols, per_split: 64 }, [cols, splits]);
  if (splits > 1) sumPartials(partials, db, splits, cols, run);
}

function sumPartials(partials: Tensor, total: Tensor, splits: number, count: number, run: Run): void {
  run('linear_sum_partials', { partials, total }, { count, splits }, [count]);
}

const withBias = defineOp('linear', ['x', 'w', 'b'], {
  shape: ({ x, w, b }) => shape(x, w, b),
  forward: ({ x, w, b, y }, run) => forward(x, w, b, y, run),
  backward({ x, w, dy, dx, dw, db }, run) {
    const s = sizes(x, w);
    if (dx) backwardX(w, dy, dx, s, run); // dx = dy·w
    if (dw) backwardW(x, dy, dw, s, run); // dw = dyᵀ·x
    if (db) backwardB(dy, db, s, run); // db = Σ_rows dy
  },
});

const withoutBias = defineOp('linear', ['x', 'w'], {
  shape: ({ x, w }) => shape(x, w),
  forward({ x, w, y }, run) {
    const cols = w.shape[0];
    const zero = x.tape.constant('linear.no_bias', [cols], new Float32Array(cols));
    forward(x, w, zero, y, run);
  },
  backward({ x, w, dy, dx, dw }, run) {
    const s = sizes(x, w);
    if (dx) backwardX(w, dy, dx, s, run);
    if (dw) backwardW(x, dy, dw, s, run);
  },
});

/** x [B,I], w [O,I], b [O] → y [B,O] = x·wᵀ + b, as torch.nn.functional.linear. */
export const linear = (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
  b === undefined ? withoutBias(x, w) : withBias(x, w, b);
