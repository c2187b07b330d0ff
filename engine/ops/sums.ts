import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** What a sum adds: x [outer,count,inner] → [outer,inner]. */
export interface SumAxes {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Terms that one invocation adds without a second level. */
const shortSum = 64;
/** Sums that keep every adapter busy without a second level, and the terms that each then adds at most. */
const enoughSums = 4096;
const longSum = 1024;

/** Terms that one invocation adds of a long sum, and how many numbers lie between two of them at least. */
const blockTerms = 32;
const blockWidth = 256;

/**
 * Parts in which each of several sums is made first: 1, or about the root of its terms, so that both levels are short.
 * Part p adds the terms p, p + parts, p + 2 · parts, …, so that neighbouring invocations read neighbours;
 * always whole vec4s of parts.
 */
function partsOf({ outer, count, inner }: SumAxes): number {
  if (count <= shortSum || (count <= longSum && outer * inner >= enoughSums)) return 1;
  return 4 * Math.ceil(Math.sqrt(count) / 4);
}

/**
 * How a kernel reads its buffers: by elements, by vec4s, or by vec4s of which each row makes or is one
 * element.
 */
type Form = '' | '_vec4' | '_lanes';

/** Sizes of a launch: the rows have `length` numbers, of which each width-th is added; the last one may be shorter. */
interface SumSizes {
  readonly rows: number;
  readonly length: number;
  readonly width: number;
  readonly total: number;
}

/** y [rows,width] = factor · Σ of every width-th element of each row of x [rows,length], or of x · z. */
function launchSum(run: Run, x: Tensor, z: Tensor | undefined, y: Tensor, sizes: SumSizes, factor: number) {
  const { rows, length, width, total } = sizes;
  const whole = length % 4 === 0 && total % 4 === 0;
  const form: Form = !whole ? '' : width % 4 === 0 ? '_vec4' : width === 1 ? '_lanes' : '';
  const four = form === '' ? '' : '4';
  const lanes = form === '' ? 1 : 4;
  const wide = form === '_vec4' ? width / 4 : width;
  const buffers = { [`x${four}`]: x, ...(z && { [`z${four}`]: z }), [form === '_vec4' ? 'y4' : 'y']: y };
  const dims = { count: rows * wide, length: length / lanes, width: wide, total: total / lanes, factor };
  run(`sum${z ? '_product' : ''}${form}`, buffers, dims, [rows * wide]);
}

/**
 * A long sum over rows of `inner`: blocks of rows first, each of which adds terms that lie in the cache together, and then
 * the sum of what they give.
 */
function recordBlocks(run: Run, { count, inner }: SumAxes, x: Tensor, y: Tensor, factor: number, z?: Tensor) {
  const rows = inner % 4 === 0 ? Math.ceil(blockWidth / inner) : 4 * Math.ceil(blockWidth / 4 / inner);
  const [width, total] = [rows * inner, count * inner];
  const blocks = Math.ceil(total / (blockTerms * width));
  if (count <= 2 * shortSum || count <= 2 * rows) {
    launchSum(run, x, z, y, { rows: 1, length: total, width: inner, total }, factor);
    return;
  }
  const partials = run.scratch('partials', [blocks, width]);
  launchSum(run, x, z, partials, { rows: blocks, length: blockTerms * width, width, total }, 1);
  recordBlocks(run, { outer: 1, count: blocks * rows, inner }, partials, y, factor);
}

/**
 * y = factor · Σ x over the axis `count`, or factor · Σ x · z where z (of x's shape) is given. Fixed order.
 * For ops whose shader is broadcast.
 */
export function recordSum(run: Run, axes: SumAxes, x: Tensor, y: Tensor, factor = 1, z?: Tensor): void {
  const { outer, count, inner } = axes;
  if (outer === 1) {
    recordBlocks(run, axes, x, y, factor, z);
    return;
  }
  const parts = partsOf(axes);
  const total = outer * count * inner;
  if (parts === 1) {
    launchSum(run, x, z, y, { rows: outer, length: count * inner, width: inner, total }, factor);
    return;
  }
  const partials = run.scratch('partials', [outer, parts, inner]);
  const [length, width] = [count * inner, parts * inner];
  launchSum(run, x, z, partials, { rows: outer, length, width, total }, 1);
  launchSum(
    run,
    partials,
    undefined,
    y,
    { rows: outer, length: width, width: inner, total: outer * width },
    factor,
  );
}

/** y [outer,count,inner] = factor · x [outer,inner], repeated: what undoes recordSum. */
export function recordSpread(
  run: Run,
  { outer, count, inner }: SumAxes,
  x: Tensor,
  y: Tensor,
  factor: number,
): void {
  // Up to eight elements or vec4s each; those that are a width apart have the same value.
  const parts = count <= 8 && inner > 1 ? 1 : 4 * Math.ceil(count / 32);
  // Buffers are whole vec4s, so that one number may fill the padding too.
  const length = outer * inner === 1 ? 4 * Math.ceil(count / 4) : count * inner;
  const form: Form = inner % 4 === 0 ? '_vec4' : inner === 1 && length % 4 === 0 ? '_lanes' : '';
  const lanes = form === '' ? 1 : 4;
  const width = (parts * inner) / lanes;
  const buffers = { [form === '_vec4' ? 'x4' : 'x']: x, [form === '' ? 'y' : 'y4']: y };
  const dims = {
    count: outer * width,
    length: length / lanes,
    total: (outer * length) / lanes,
    width,
    inner: form === '_lanes' ? 1 : inner / lanes,
    factor,
  };
  run(`spread${form}`, buffers, dims, [outer * width]);
}
