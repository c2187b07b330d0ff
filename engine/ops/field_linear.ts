import { defineOp } from '../op.js';
import { ShapeError, dims, format, size, type Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { resize } from './resize.js';
import { strided } from './strided.js';

/** Rows that one partial sum of dw covers: short enough sums to use every core. */
const rowsPerSplit = 128;
/** Tiles of four rows that a workgroup takes. */
const blockTiles = 64;

const up = (count: number, unit: number) => Math.ceil(count / unit);

/** y [B,F,cols] = a [B,F,inner] times the matrix of its field, w [F,inner,cols], which `transposed` is w [F,cols,inner]. */
function product(run: Run, a: Tensor, w: Tensor, y: Tensor, transposed: boolean): void {
  const [batch, fields, inner] = a.shape;
  const cols = y.shape[2];
  const panels = fields * up(cols, 8);
  const packed = run.scratch('panels', [panels, inner, 8]);
  const steps = transposed ? { inner_step: 1, col_step: inner } : { inner_step: cols, col_step: 1 };
  const count = 2 * panels * inner;
  run('field_linear_pack', { w, packed4: packed }, { inner, cols, ...steps, count }, strided(count));
  const tiles = up(batch, 4);
  const over = [Math.min(tiles, blockTiles), panels, up(tiles, blockTiles)];
  run('field_linear_product', { a, p4: packed, y }, { batch, fields, inner, cols }, over);
}

/** dw [F,O,I] = Σ_b dy[b,f,:]·x[b,f,:]ᵀ, in splits of the batch first where it is long. */
function backwardW(run: Run, x: Tensor, dy: Tensor, dw: Tensor): void {
  const [batch, fields, width] = x.shape;
  const [inner, cols] = [width / 4, dy.shape[2]];
  const splits = up(batch, rowsPerSplit);
  const stride = size(dw.shape) / 4;
  const partials = splits === 1 ? dw : run.scratch('partials', [splits, 4 * stride]);
  const sums = { batch, fields, inner, cols, per_split: rowsPerSplit, stride };
  const tiles = fields * up(inner, 2) * up(cols, 4);
  run('field_linear_backward_w', { x4: x, dy, dw4: partials }, sums, [tiles, splits]);
  if (splits === 1) return;
  run('field_linear_sum_partials', { partials4: partials, total4: dw }, { stride, splits }, [stride]);
}

function shape({ x, w }: Readonly<Record<'x' | 'w', Tensor>>): Shape {
  const [batch, fields, inner] = dims(x, 3, 'field_linear: x');
  const [maps, outer, width] = dims(w, 3, 'field_linear: w');
  if (fields !== maps || inner !== width) {
    const what = `${fields} fields of ${inner} against ${maps} maps of ${width}`;
    throw new ShapeError(`field_linear: x ${format(x.shape)} and w ${format(w.shape)} disagree: ${what}`);
  }
  return [batch, fields, outer];
}

/** Inputs of whole vec4s. */
const wide = defineOp('field_linear', ['x', 'w'], {
  shape,
  forward: ({ x, w, y }, run) => product(run, x, w, y, true),
  backward({ x, w, dy, dx, dw }, run) {
    if (dx) product(run, dy, w, dx, false);
    if (dw) backwardW(run, x, dy, dw);
  },
});

/** A linear map of its own for each field: x [B,F,I], w [F,O,I] → y [B,F,O], y[b,f] = w[f]·x[b,f]. Throws ShapeError. */
export function fieldLinear(x: Tensor, w: Tensor): Tensor {
  shape({ x, w });
  const width = 4 * up(x.shape[2], 4);
  return width === x.shape[2] ? wide(x, w) : wide(resize(x, width), resize(w, width));
}
