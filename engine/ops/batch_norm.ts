import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** The statistics that evaluation uses, tensors [C] that training updates, and PyTorch's options. */
export interface BatchNorm {
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  /** Share of a batch in the running statistics; 0.1 by default. */
  readonly momentum?: number;
  /** Added to variances; 1e-5 by default. */
  readonly eps?: number;
}

/** Rows that an invocation sums, of eight columns, before a second level unites the sums. */
const summedRows = 32;

interface Sizes {
  readonly rows: number;
  readonly cols: number;
  /** Vec4s of columns in a row. */
  readonly quads: number;
}

const sizesOf = ({ shape: [rows, cols] }: Tensor): Sizes => ({ rows, cols, quads: Math.ceil(cols / 4) });
const blocksOf = ({ rows }: Sizes) => Math.ceil(rows / summedRows);
/** Invocations that share the columns. */
const pairsOf = ({ quads }: Sizes) => Math.ceil(quads / 2);

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

  // Of four columns: shift, mean after the shift, 1 / deviation, weight, bias, biased variance.
  saves: ({ x }) => ({ statistics: [sizesOf(x).quads, 6, 4] }),

  forward({ x, weight, bias, statistics, y }, run, { runningMean, runningVar, momentum = 0.1, eps = 1e-5 }) {
    const sizes = sizesOf(x);
    const { rows, quads } = sizes;
    const running = { running_mean: runningMean, running_var: runningVar };
    const parameters = { weight, bias, statistics };
    const wide = widened(run, x, sizes);
    if (x.tape.training) {
      const count = blocksOf(sizes);
      const partials = run.scratch('partials', [count, 2, 4 * quads]);
      const blocks = { rows, quads, block: summedRows };
      run('batch_norm_blocks', { x: wide, partials }, blocks, [count * pairsOf(sizes)]);
      run('batch_norm_statistics', { x: wide, blocks: partials, ...parameters }, { ...blocks, eps }, [quads]);
      const update = { ...running, known: statistics, state: x.tape.stepState() };
      run.afterStep('batch_norm_update', update, { quads, momentum, unbias: rows / (rows - 1) }, [quads]);
    } else {
      run('batch_norm_running', { ...running, ...parameters }, { quads, eps }, [quads]);
    }
    narrowed(run, y, sizes, (out) => {
      const buffers = { x: wide, known: statistics, y: out };
      run('batch_norm_forward', buffers, { rows, quads }, strided(rows * quads));
    });
  },

  backward({ x, statistics, dy, dx, dweight, dbias }, run) {
    const sizes = sizesOf(x);
    const { rows, cols, quads } = sizes;
    const [wide, wideDy] = [widened(run, x, sizes), widened(run, dy, sizes)];
    const count = blocksOf(sizes);
    const partials = run.scratch('partials', [count, 2, 4 * quads]);
    const slopes = run.scratch('slopes', [quads, 6, 4]);
    const blocks = { rows, quads, block: summedRows };
    const read = { x: wide, known: statistics, dy: wideDy };
    run('batch_norm_backward_blocks', { ...read, partials }, blocks, [count * pairsOf(sizes)]);
    const sums = {
      dweight: dweight ?? run.scratch('dweight', [cols]),
      dbias: dbias ?? run.scratch('dbias', [cols]),
    };
    const share = x.tape.training ? 1 / rows : 0;
    const known = { blocks: partials, known: statistics };
    run('batch_norm_backward_sums', { ...known, ...sums, slopes }, { ...blocks, share }, [quads]);
    if (dx === undefined) return;
    narrowed(run, dx, sizes, (out) => {
      const buffers = { x: wide, dy: wideDy, ready: slopes, dx: out };
      run('batch_norm_backward', buffers, { rows, quads }, strided(rows * quads));
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
