import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** The statistics that evaluation uses, tensors [C] that training updates, and PyTorch's options. */
export interface BatchNorm {
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /** Share of a batch in the running statistics; 0.1 by default. */
  readonly momentum?: number;
  /** Added to variances; 1e-5 by default. */
  readonly eps?: number;
}

/** Rows that an invocation sums before a second level unites the sums, and that it normalises. */
const summedRows = 32;
const normalisedRows = 8;

interface Sizes {
  readonly rows: number;
  readonly cols: number;
  /** Vec4s of columns in a row. */
  readonly quads: number;
}

const sizesOf = ({ shape: [rows, cols] }: Tensor): Sizes => ({ rows, cols, quads: Math.ceil(cols / 4) });
const blocksOf = ({ rows }: Sizes, block: number) => Math.ceil(rows / block);

function copy(run: Run, from: Tensor, to: Tensor, rows: number): void {
  const [from_cols, to_cols] = [from.shape[1], to.shape[1]];
  const cols = Math.min(from_cols, to_cols);
  run('batch_norm_copy', { words: from, copies: to }, { rows, cols, from_cols, to_cols }, [rows]);
}

/** Kernels work on whole vec4s of columns: `t` itself, or a wider copy. */
function widened(run: Run, t: Tensor, { rows, cols, quads }: Sizes): Tensor {
  if (cols === 4 * quads) return t;
  const wide = run.scratch('wide', [rows, 4 * quads]);
  copy(run, t, wide, rows);
  return wide;
}

/** Lets `write` fill `t`, if need be by way of a wider tensor. */
function narrowed(run: Run, t: Tensor, { rows, cols, quads }: Sizes, write: (wide: Tensor) => void): void {
  if (cols === 4 * quads) {
    write(t);
    return;
  }
  const wide = run.scratch('wide', [rows, 4 * quads]);
  write(wide);
  copy(run, wide, t, rows);
}

function shapeOf(x: Tensor, weight: Tensor, bias: Tensor, { runningMean, runningVar }: BatchNorm) {
  const [rows, cols] = dims(x, 2, 'batch_norm: x');
  for (const [name, t] of Object.entries({
    weight,
    bias,
    running_mean: runningMean,
    running_var: runningVar,
  })) {
    if (t.shape.length !== 1 || t.shape[0] !== cols) {
      throw new ShapeError(
        `batch_norm: x ${format(x.shape)} needs a ${name} [${cols}], but it is ${format(t.shape)}`,
      );
    }
  }
  if (x.tape.training && rows === 1) {
    throw new ShapeError(
      `batch_norm: x ${format(x.shape)} is a batch of 1 row, which has no variance; train on 2 rows or more`,
    );
  }
  return x.shape;
}

const normalize = defineOp('batch_norm', ['x', 'weight', 'bias'], {
  shape: ({ x, weight, bias }, attributes: BatchNorm) => shapeOf(x, weight, bias, attributes),

  // Three rows: shift, mean after the shift, biased variance.
  saves: ({ x }) => ({ statistics: [3, 4 * sizesOf(x).quads] }),

  forward({ x, weight, bias, statistics, y }, run, { runningMean, runningVar, momentum = 0.1, eps = 1e-5 }) {
    const sizes = sizesOf(x);
    const { rows, quads } = sizes;
    const running = { running_mean: runningMean, running_var: runningVar };
    const wide = widened(run, x, sizes);
    if (x.tape.training) {
      const count = blocksOf(sizes, summedRows);
      const partials = run.scratch('partials', [count, 2, 4 * quads]);
      const blocks = { rows, quads, block: summedRows };
      run('batch_norm_blocks', { x: wide, partials }, blocks, [count * quads]);
      run('batch_norm_statistics', { x: wide, blocks: partials, statistics }, blocks, [quads]);
      const update = { ...running, known: statistics, state: x.tape.stepState() };
      run.afterStep('batch_norm_update', update, { quads, momentum, unbias: rows / (rows - 1) }, [quads]);
    } else {
      run('batch_norm_running', { ...running, statistics }, { quads }, [quads]);
    }
    narrowed(run, y, sizes, (out) => {
      const all = { rows, quads, block: normalisedRows, eps };
      const over = [blocksOf(sizes, normalisedRows) * quads];
      run('batch_norm_forward', { x: wide, known: statistics, weight, bias, y: out }, all, over);
    });
  },

  backward({ x, weight, statistics, dy, dx, dweight, dbias }, run, { eps = 1e-5 }) {
    const sizes = sizesOf(x);
    const { rows, cols, quads } = sizes;
    const [wide, wideDy] = [widened(run, x, sizes), widened(run, dy, sizes)];
    const count = blocksOf(sizes, summedRows);
    const partials = run.scratch('partials', [count, 2, 4 * quads]);
    const blocks = { rows, quads, block: summedRows };
    const read = { x: wide, known: statistics, dy: wideDy };
    run('batch_norm_backward_blocks', { ...read, partials }, { ...blocks, eps }, [count * quads]);
    const sums = {
      dweight: dweight ?? run.scratch('dweight', [cols]),
      dbias: dbias ?? run.scratch('dbias', [cols]),
    };
    run('batch_norm_backward_sums', { blocks: partials, ...sums }, blocks, [quads]);
    if (dx === undefined) return;
    narrowed(run, dx, sizes, (out) => {
      const all = { rows, quads, block: normalisedRows, eps, share: x.tape.training ? 1 / rows : 0 };
      const buffers = { ...read, weight, weight_sum: sums.dweight, bias_sum: sums.dbias, dx: out };
      run('batch_norm_backward', buffers, all, [blocksOf(sizes, normalisedRows) * quads]);
    });
  },
});

/**
 * Normalises each column of x [N,C] to mean 0 and variance 1, then scales and moves it: y = weight · x̂ +
 * bias, as torch.nn.BatchNorm1d. Training uses the mean and biased variance of the batch and moves the
 * running mean and unbiased variance towards them; evaluation uses the running ones. Ioffe and Szegedy 2015.
 * Throws ShapeError for one row in training.
 */
export const batchNorm = (x: Tensor, weight: Tensor, bias: Tensor, attributes: BatchNorm): Tensor =>
  normalize(x, weight, bias, attributes);
