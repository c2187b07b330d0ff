import { defineOp } from '../op.js';
import { ShapeError, dims, format, size, type Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { resize } from './resize.js';
import { strided } from './strided.js';

/** Rows that one partial sum of dw and db covers: few enough for their products to stay in a cache. */
const rowsPerSplit = 64;

const up = (count: number, unit: number) => Math.ceil(count / unit);

function sizes(x: Tensor, e: Tensor, w: Tensor) {
  const [rows, channels, dim] = x.shape;
  const [outputs, inner] = w.shape;
  return { rows, channels, fields: e.shape[1], outputs, inner, width: dim / 4 };
}

/** Σ of what `entry` makes of each split of the rows, `over` invocations each. */
function sumOverRows(
  run: Run,
  entry: string,
  buffers: Readonly<Record<string, Tensor>>,
  dims: Readonly<Record<string, number>>,
  over: number,
  total: Tensor,
): void {
  const splits = up(dims.rows, rowsPerSplit);
  const stride = 4 * up(size(total.shape), 4);
  const partials = splits === 1 ? total : run.scratch('partials', [splits, stride]);
  run(entry, { ...buffers, partials }, { ...dims, per_split: rowsPerSplit, stride }, [over, splits]);
  if (splits === 1) return;
  const summed = { splits, stride: stride / 4 };
  run('cin_sum_partials', { partials4: partials, total4: total }, summed, strided(summed.stride));
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
    const { rows, ...rest } = sizes(x, e, w);
    const columns = rows * rest.width;
    const pairs = up(columns, 2);
    const over = [Math.min(64, pairs), up(rest.outputs, 4), up(pairs, 64)];
    run('cin_forward', { x4: x, e4: e, w, b, y4: y }, { ...rest, columns }, over);
  },

  backward({ x, e, w, dy, dx, de, dw, db }, run) {
    const all = sizes(x, e, w);
    const { rows, width, outputs } = all;
    if (dx || de) {
      const [dx4, de4] = [dx ?? run.scratch('dx', x.shape), de ?? run.scratch('de', e.shape)];
      const columns = rows * width;
      const { rows: _, ...rest } = all;
      run('cin_backward', { x4: x, e4: e, w, dy4: dy, dx4, de4 }, { ...rest, columns }, [up(columns, 2)]);
    }
    const tiles = up(outputs, 4) * up(all.inner, 2);
    if (dw) sumOverRows(run, 'cin_backward_w', { x4: x, e4: e, dy4: dy }, all, tiles, dw);
    if (db) sumOverRows(run, 'cin_backward_b', { dy4: dy }, { rows, width, outputs }, outputs, db);
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
