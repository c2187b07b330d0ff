import { defineOp } from '../op.js';
import { ShapeError, dims, format, type Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { resize } from './resize.js';
import { strided } from './strided.js';

/** Steps of one partial sum of dw: few enough for 8 products and 4 outputs to stay in the first cache. */
const stepsPerSplit = 512;
/** Partial sums at a time: their products stay in the last cache. */
const splitsAtOnce = 4;
/** Outputs × products of a tile of dw. */
const tile = { outputs: 4, products: 8 } as const;
/** Rows that one invocation packs. */
const packedRows = 8;
/** Pairs of columns of a workgroup. */
const blockPairs = 64;

const up = (count: number, unit: number) => Math.ceil(count / unit);

interface Sizes {
  readonly rows: number;
  readonly width: number;
  readonly channels: number;
  readonly fields: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly inner: number;
}

function sizes(x: Tensor, e: Tensor, w: Tensor): Sizes {
  const [rows, channels, dim] = x.shape;
  const [outputs, inner] = w.shape;
  const fields = e.shape[1];
  return { rows, channels, fields, hidden: inner / fields, outputs, inner, width: dim / 4 };
}

/** w in panels of four outputs and steps over hidden channels, or of four of these and steps over outputs; for each field. */
function packWeights(run: Run, w: Tensor, s: Sizes, transposed = false): Tensor {
  const { fields, hidden, outputs, inner } = s;
  const [cols, steps] = transposed ? [hidden, outputs] : [outputs, hidden];
  const [col_stride, step_stride] = transposed ? [fields, inner] : [inner, fields];
  const count = up(cols, 4) * fields * steps;
  const packed = run.scratch('weights', [count, 4]);
  run(
    'cin_pack_weights',
    { w, packed4: packed },
    { cols, steps, col_stride, step_stride, fields, count },
    strided(count),
  );
  return packed;
}

/** The first `steps` channels of x, in pairs of columns. */
function packColumns(run: Run, x: Tensor, steps: number): Tensor {
  const [rows, channels, dim] = x.shape;
  const pairs = up(rows * dim, 8);
  const packed = run.scratch('columns', [pairs, steps, 8]);
  const layout = { rows, channels, width: dim / 4, steps };
  run('cin_pack_columns', { x4: x, packed4: packed }, layout, [pairs]);
  return packed;
}

/** dw and db, those that are wanted: from products of some rows at a time. */
function backwardW(
  run: Run,
  t: Readonly<Record<'x' | 'e' | 'dy', Tensor>>,
  s: Sizes,
  dw?: Tensor,
  db?: Tensor,
): void {
  const { width, outputs, channels, fields, hidden, inner } = s;
  const splitRows = up(stepsPerSplit, 4 * width);
  const rowsAtOnce = Math.min(s.rows, splitRows * splitsAtOnce);
  const splits = up(rowsAtOnce, splitRows);
  const [per_split, steps] = [splitRows * 4 * width, rowsAtOnce * 4 * width];
  const [tiles, octets] = [up(outputs, tile.outputs), up(inner + 1, tile.products)];
  const stride = tiles * octets;
  const panels = run.scratch('dy', [tiles, steps, tile.outputs]);
  const products = run.scratch('products', [octets, steps, tile.products]);
  const parts = run.scratch('parts', [splits, stride, tile.outputs * tile.products]);
  for (let first = 0; first < s.rows; first += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, s.rows - first);
    run('cin_pack_dy', { dy4: t.dy, packed4: panels }, { width, outputs, first, steps }, [tiles, rows]);
    const factors = { rows, first, steps, width, channels, fields, hidden };
    const spans = up(rows, packedRows);
    run('cin_pack_products', { x4: t.x, e4: t.e, packed4: products }, factors, [2 * octets, spans]);
    const sums = { rows, first, steps, width, outputs, per_split, stride };
    const over = [tiles, octets, up(rows, splitRows)];
    run('cin_backward_w', { panels, pairs4: products, parts4: parts }, sums, over);
  }
  const total = (sum: Tensor, first: number, count: number) => {
    const elements = { outputs, first, count, splits, stride };
    run('cin_sum', { parts, total: sum }, elements, strided(outputs * count));
  };
  if (dw) total(dw, 0, inner);
  if (db) total(db, inner, 1);
}

function shape({ x, e, w, b }: Readonly<Record<'x' | 'e' | 'w' | 'b', Tensor>>): Shape {
  const [batch, channels, dim] = dims(x, 3, 'cin: x');
  const [rows, fields, width] = dims(e, 3, 'cin: e');
  const [outputs, inner, kernel] = dims(w, 3, 'cin: w');
  if (rows !== batch || width !== dim) {
    throw new ShapeError(
      `cin: x ${format(x.shape)} and e ${format(e.shape)} disagree; only axis 1 may differ`,
    );
  }
  if (inner % fields !== 0 || inner > channels * fields || kernel !== 1) {
    const wanted = `w must be [O,N,1], N a multiple of ${fields} up to ${channels * fields}`;
    throw new ShapeError(
      `cin: w ${format(w.shape)} does not fit x ${format(x.shape)} and e ${format(e.shape)}; ${wanted}`,
    );
  }
  if (b.shape.length !== 1 || b.shape[0] !== outputs) {
    throw new ShapeError(`cin: w ${format(w.shape)} needs a bias [${outputs}], but b is ${format(b.shape)}`);
  }
  return [batch, outputs, dim];
}

/** Rows of whole vec4s. */
const wide = defineOp('cin', ['x', 'e', 'w', 'b'], {
  shape,

  forward({ x, e, w, b, y }, run) {
    const s = sizes(x, e, w);
    const { rows, width, fields, hidden, outputs } = s;
    const pairs = up(rows * width, 2);
    const panels = packWeights(run, w, s);
    const pairs4 = packColumns(run, x, hidden);
    const over = [Math.min(blockPairs, pairs), up(outputs, 4), up(pairs, blockPairs)];
    run('cin_forward', { panels, pairs4, e4: e, b, y4: y }, { rows, width, fields, hidden, outputs }, over);
  },

  backward({ x, e, w, dy, dx, de, dw, db }, run) {
    const s = sizes(x, e, w);
    if (dx || de) {
      const { rows, width, channels, fields, hidden, outputs } = s;
      const panels = packWeights(run, w, s, true);
      const pairs4 = packColumns(run, dy, outputs);
      const [dx4, de4] = [dx ?? run.scratch('dx', x.shape), de ?? run.scratch('de', e.shape)];
      const layout = { rows, width, channels, fields, hidden, outputs };
      run('cin_backward', { panels, pairs4, x4: x, e4: e, dx4, de4 }, layout, [up(rows * width, 2)]);
    }
    if (dw || db) backwardW(run, { x, e, dy }, s, dw, db);
  },
});

/**
 * A layer of the compressed interaction network, without its activation: x [B,C,D], e [B,F,D], w [O,H·F,1], b [O] →
 * y [B,O,D], y_o = b_o + Σ_h Σ_m w[o, h·F+m] · x_h ⊙ e_m over the first H ≤ C channels of x. The outer product is not
 * stored. Lian et al. 2018, eq. 6; w as that of torch.nn.Conv1d. Throws ShapeError.
 */
export function cin(x: Tensor, e: Tensor, w: Tensor, b: Tensor): Tensor {
  const [, , dim] = shape({ x, e, w, b });
  if (dim % 4 === 0) return wide(x, e, w, b);
  const width = 4 * up(dim, 4);
  const ready = resize(e, width);
  return resize(wide(x === e ? ready : resize(x, width), ready, w, b), dim);
}
