import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

interface Sizes {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
}

/** What both backward rules read and write. */
interface BackwardTensors extends Record<'x' | 'w' | 'dy', Tensor> {
  readonly dx?: Tensor;
  readonly dw?: Tensor;
  readonly db?: Tensor;
}

/** Rows × columns of the result that one invocation computes; row tiles of a workgroup. */
const tile = { rows: 5, cols: 8 } as const;
const blockTiles = 64;
/** Rows that one invocation packs. */
const packedRows = 32;
/** Rows of x that one partial sum of dw covers: fewer would cost more memory than they save time, more leave the caches. */
const minRowsPerSplit = 512;
const maxRowsPerSplit = 1024;
/** Invocations that keep every adapter busy; a small dw is split over the batch to make as many. */
const enoughInvocations = 4096;

/** A workgroup takes row tiles of one panel; z walks over blocks of them, so that their rows stay in the caches. */
function tilesOver(rows: number, cols: number, splits = 1): readonly number[] {
  const tiles = Math.ceil(rows / tile.rows);
  return [Math.min(tiles, blockTiles), Math.ceil(cols / tile.cols), Math.ceil(tiles / blockTiles) * splits];
}

const quads = (count: number) => Math.ceil(count / 4);

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

/** A matrix [inner,cols] in panels of as many columns as a tile has. */
function pack(run: Run, s: Tensor): Tensor {
  const [inner, cols] = s.shape;
  const pairs = Math.ceil(cols / (2 * tile.cols));
  const packed = run.scratch('packed', [2 * pairs, inner, tile.cols]);
  const count = pairs * Math.ceil(inner / packedRows);
  run('linear_pack', { s, packed }, { inner, cols, panels: pairs, count }, [count]);
  return packed;
}

/** The transpose of a matrix [cols,inner] in such panels. */
function packTransposed(run: Run, s: Tensor): Tensor {
  const [cols, inner] = s.shape;
  const panels = Math.ceil(cols / tile.cols);
  const packed = run.scratch('packed', [panels, inner, tile.cols]);
  const count = 2 * panels * Math.ceil(inner / packedRows);
  run('linear_pack_transposed', { s, packed }, { inner, cols, count }, [count]);
  return packed;
}

function forward(x: Tensor, w: Tensor, b: Tensor, y: Tensor, run: Run): void {
  const { rows, inner, cols } = sizes(x, w);
  const p4 = packTransposed(run, w);
  run('linear_forward', { a: x, p4, b, y }, { rows, inner, cols }, tilesOver(rows, cols));
}

function backwardX(w: Tensor, dy: Tensor, dx: Tensor, { rows, inner, cols }: Sizes, run: Run): void {
  const p4 = pack(run, w);
  run('linear_backward_x', { a: dy, p4, y: dx }, { rows, inner: cols, cols: inner }, tilesOver(rows, inner));
}

/** `panels` is dy in panels of as many columns as a tile has rows. */
function backwardW(x: Tensor, panels: Tensor, dw: Tensor, { rows, inner, cols }: Sizes, run: Run): void {
  const invocations = Math.ceil(cols / tile.rows) * Math.ceil(inner / tile.cols);
  const perSplit = Math.min(
    Math.max(Math.ceil((rows * invocations) / enoughInvocations), minRowsPerSplit),
    maxRowsPerSplit,
  );
  const splits = Math.ceil(rows / perSplit);
  const stride = 4 * quads(cols * inner);
  const y = splits === 1 ? dw : run.scratch('dw_partials', [splits, stride]);
  const p4 = pack(run, x);
  const product = { rows: cols, inner: rows, cols: inner, per_split: perSplit, stride };
  run('linear_backward_w', { g: panels, p4, y }, product, tilesOver(cols, inner, splits));
  if (splits > 1) sumPartials(y, dw, splits, run);
}

function sumPartials(partials: Tensor, total: Tensor, splits: number, run: Run): void {
  const count = partials.shape[1] / 4;
  run('linear_sum_partials', { partials4: partials, total4: total }, { count, splits }, [count]);
}

/** dy in panels of as many columns as a tile has rows; its sums over rows, on the way, are db. */
function packGradient(dy: Tensor, db: Tensor | undefined, { rows, cols }: Sizes, run: Run): Tensor {
  const panels = Math.ceil(cols / tile.rows);
  const blocks = Math.ceil(rows / packedRows);
  const packed = run.scratch('packed', [panels, rows, tile.rows]);
  const stride = 4 * quads(cols);
  const y = db && blocks === 1 ? db : run.scratch('db_partials', [blocks, stride]);
  const count = panels * blocks;
  run('linear_pack_fives', { s: dy, packed, y }, { inner: rows, cols, panels, count, stride }, [count]);
  if (db && blocks > 1) sumPartials(y, db, blocks, run);
  return packed;
}

function backward(t: BackwardTensors, run: Run): void {
  const { x, w, dy, dx, dw, db } = t;
  const s = sizes(x, w);
  if (dx) backwardX(w, dy, dx, s, run); // dx = dy·w
  if (dw === undefined && db === undefined) return;
  const panels = packGradient(dy, db, s, run); // db = Σ_rows dy
  if (dw) backwardW(x, panels, dw, s, run); // dw = dyᵀ·x
}

const withBias = defineOp('linear', ['x', 'w', 'b'], {
  shape: ({ x, w, b }) => shape(x, w, b),
  forward: ({ x, w, b, y }, run) => forward(x, w, b, y, run),
  backward,
});

const withoutBias = defineOp('linear', ['x', 'w'], {
  shape: ({ x, w }) => shape(x, w),
  forward({ x, w, y }, run) {
    const cols = w.shape[0];
    const zero = x.tape.constant('linear.no_bias', [cols], new Float32Array(cols));
    forward(x, w, zero, y, run);
  },
  backward,
});

/** x [B,I], w [O,I], b [O] → y [B,O] = x·wᵀ + b, as torch.nn.functional.linear. */
export const linear = (x: Tensor, w: Tensor, b?: Tensor): Tensor =>
  b === undefined ? withoutBias(x, w) : withBias(x, w, b);
