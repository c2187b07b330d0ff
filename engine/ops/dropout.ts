import { defineOp } from '../op.js';
import { uniforms, type Stream } from '../random.js';
import { ShapeError, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { relu, sigmoid } from './elementwise.js';
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

const quadsOf = ({ shape }: Tensor) => Math.ceil(size(shape) / 4);

function shapeOf(name: string, { shape }: Tensor, { p }: Drop) {
  if (!(p >= 0 && p < 1)) throw new ShapeError(`${name}: p is ${p}, but 0 ≤ p < 1 is needed`);
  return shape;
}

/** y = f(x) · mask. */
function launch(run: Run, name: string, x: Tensor, y: Tensor, { p, stream }: Drop): void {
  const quads = quadsOf(x);
  const dims = { quads, stream, ...dropDims(p) };
  run(`${name}_forward`, { state: x.tape.stepState(), x, y }, dims, strided(Math.ceil(quads / 4)));
}

/** The mask is made anew from the step state, so that nothing is kept for the backward pass. */
const drop = defineOp('dropout', ['x'], {
  shape: ({ x }, attributes: Drop) => shapeOf('dropout', x, attributes),
  forward: ({ x, y }, run, attributes) => launch(run, 'dropout', x, y, attributes),
  backward({ dy, dx }, run, attributes) {
    if (dx) launch(run, 'dropout', dy, dx, attributes);
  },
});

/** What the gradient needs is all in y. */
const activatedDrop = (name: 'relu_dropout' | 'sigmoid_dropout') =>
  defineOp(name, ['x'], {
    shader: 'dropout',
    shape: ({ x }, attributes: Drop) => shapeOf(name, x, attributes),
    forward: ({ x, y }, run, attributes) => launch(run, name, x, y, attributes),
    backward({ y, dy, dx }, run, { p }) {
      const dims = { quads: quadsOf(y), factor: factorOf(p), inverse: 1 - p };
      if (dx) run(`${name}_backward`, { y_forward: y, dy, dx }, dims, strided(quadsOf(y)));
    },
  });

const reluDrop = activatedDrop('relu_dropout');
const sigmoidDrop = activatedDrop('sigmoid_dropout');

/**
 * In training, zeroes elements of x with probability p and multiplies the others by 1 / (1 − p); x itself in
 * evaluation or if p is 0. `stream` tells the layers of a model apart; layers are counted if it is left out.
 * Srivastava et al. 2014.
 */
export const dropout = (x: Tensor, p: number, stream = x.tape.nextStream()): Tensor =>
  x.tape.training && p !== 0 ? drop(x, { p, stream }) : x;

/** dropout(relu(x), p, stream) in one kernel, and one for the gradient. */
export const reluDropout = (x: Tensor, p: number, stream = x.tape.nextStream()): Tensor =>
  x.tape.training && p !== 0 ? reluDrop(x, { p, stream }) : relu(x);

/** dropout(sigmoid(x), p, stream) in one kernel, and one for the gradient. */
export const sigmoidDropout = (x: Tensor, p: number, stream = x.tape.nextStream()): Tensor =>
  x.tape.training && p !== 0 ? sigmoidDrop(x, { p, stream }) : sigmoid(x);

/**
 * What dropout multiplies the first `count` elements by: 0 or 1 / (1 − p). `step` is the number of steps done
 * before.
 */
export const dropoutMask = (key: Stream, p: number, count: number): Float32Array =>
  uniforms(key, count).map((u) => (u * 2 ** 24 < thresholdOf(p) ? 0 : factorOf(p)));
