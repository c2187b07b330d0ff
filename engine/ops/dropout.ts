import { defineOp } from '../op.js';
import { uniforms, type Stream } from '../random.js';
import { ShapeError, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

interface Drop {
  readonly p: number;
  readonly stream: number;
}

/** Random numbers have 24 bits; those below the threshold drop. An integer, so that every adapter agrees. */
const thresholdOf = (p: number) => Math.round(p * 2 ** 24);
const factorOf = (p: number) => Math.fround(1 / (1 - p));

/** How kernels that drop with probability p do it. */
export const dropDims = (p: number) => ({ threshold: thresholdOf(p), factor: factorOf(p) });

/** y = x · mask; the mask is made anew from the step state, so that nothing is kept for the backward pass. */
function launch(run: Run, x: Tensor, y: Tensor, { p, stream }: Drop): void {
  const quads = Math.ceil(size(x.shape) / 4);
  const dims = { quads, stream, ...dropDims(p) };
  run('dropout_forward', { state: x.tape.stepState(), x, y }, dims, strided(Math.ceil(quads / 4)));
}

const drop = defineOp('dropout', ['x'], {
  shape({ x }, { p }: Drop) {
    if (!(p >= 0 && p < 1)) throw new ShapeError(`dropout: p is ${p}, but 0 ≤ p < 1 is needed`);
    return x.shape;
  },

  forward: ({ x, y }, run, attributes) => launch(run, x, y, attributes),

  backward({ dy, dx }, run, attributes) {
    if (dx) launch(run, dy, dx, attributes);
  },
});

/**
 * In training, zeroes elements of x with probability p and multiplies the others by 1 / (1 − p); x itself in
 * evaluation or if p is 0. `stream` tells the layers of a model apart; layers are counted if it is left out.
 * Srivastava et al. 2014.
 */
export const dropout = (x: Tensor, p: number, stream = x.tape.nextStream()): Tensor =>
  x.tape.training && p !== 0 ? drop(x, { p, stream }) : x;

/**
 * What dropout multiplies the first `count` elements by: 0 or 1 / (1 − p). `step` is the number of steps done
 * before.
 */
export const dropoutMask = (key: Stream, p: number, count: number): Float32Array =>
  uniforms(key, count).map((u) => (u * 2 ** 24 < thresholdOf(p) ? 0 : factorOf(p)));
