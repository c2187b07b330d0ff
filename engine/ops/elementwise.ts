import { defineOp } from '../op.js';
import { sameShape, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { broadcast } from './broadcast.js';
import { strided } from './strided.js';
import { trace } from './trace.js';

const quads = (t: Tensor) => Math.ceil(size(t.shape) / 4);

/** y = a `name` b. */
function launch(run: Run, name: 'add' | 'sub' | 'mul', a: Tensor, b: Tensor, y: Tensor): Tensor {
  run(`${name}_forward`, { a, b, y }, { quads: quads(y) }, strided(quads(y)));
  return y;
}

function launchScale(run: Run, x: Tensor, factor: number, y: Tensor): Tensor {
  run('scale_forward', { x, y }, { quads: quads(y), factor }, strided(quads(y)));
  return y;
}

/** A binary op on equal shapes; `gradient` gives that of operand 0 (a) or 1 (b). */
const binary =
  (
    name: 'add' | 'sub' | 'mul',
    gradient: (i: number, operands: readonly Tensor[], dy: Tensor, run: Run) => Tensor,
  ) =>
  (a: Tensor, b: Tensor): Tensor =>
    sameShape(a.shape, b.shape)
      ? trace({
          op: name,
          shader: 'elementwise',
          inputs: [a, b],
          shape: a.shape,
          forward: (y, run) => launch(run, name, a, b, y),
          backward: (i, dy, run) => gradient(i, [a, b], dy, run),
        })
      : broadcast(name, a, b);

/**
 * y = a + b. Here and in sub and mul, b has the shape of a [..,N], or it is a scalar [1], a last-axis row [N]
 * or a column [..,1], repeated over a. Throws ShapeError for anything else.
 */
export const add = binary('add', (_, __, dy) => dy);

/** y = a − b. */
export const sub = binary('sub', (i, [, b], dy, run) =>
  i === 0 ? dy : launchScale(run, dy, -1, run.scratch('db', b.shape)),
);

/** y = a · b, element by element. */
export const mul = binary('mul', (i, operands, dy, run) =>
  launch(run, 'mul', dy, operands[1 - i], run.scratch(i === 0 ? 'da' : 'db', operands[i].shape)),
);

const scaled = defineOp('scale', ['x'], {
  shader: 'elementwise',
  shape: ({ x }) => x.shape,
  forward({ x, y }, run, factor: number) {
    launchScale(run, x, factor, y);
  },
  backward({ dy, dx }, run, factor) {
    if (dx) launchScale(run, dy, factor, dx);
  },
});

/** y = factor · x. */
export const scale = (x: Tensor, factor: number): Tensor => scaled(x, factor);

/** y = f(x) with the entries `<name>_forward` and `<name>_backward`; the derivative `reads` x or y. */
const unaryWith = (name: string, reads: 'x' | 'y') =>
  defineOp(name, ['x'], {
    shader: 'elementwise',
    shape: ({ x }) => x.shape,
    forward({ x, y }, run, dims: Readonly<Record<string, number>>) {
      run(`${name}_forward`, { x, y }, { quads: quads(x), ...dims }, strided(quads(x)));
    },
    backward({ x, y, dy, dx }, run, dims) {
      if (dx === undefined) return;
      const buffers = { dy, dx, ...(reads === 'x' ? { x } : { y_forward: y }) };
      run(`${name}_backward`, buffers, { quads: quads(x), ...dims }, strided(quads(x)));
    },
  });

const unary = (name: string, reads: 'x' | 'y') => {
  const op = unaryWith(name, reads);
  return (x: Tensor): Tensor => op(x, {});
};

const leaky = unaryWith('leaky_relu', 'x');

/** y = max(x, 0); the derivative at 0 is 0. */
export const relu = unary('relu', 'y');
/** y = 1 / (1 + e^−x). */
export const sigmoid = unary('sigmoid', 'y');
/** y = tanh x. */
export const tanh = unary('tanh', 'y');
/** y = x where x > 0, else slope · x. */
export const leakyRelu = (x: Tensor, slope: number): Tensor => leaky(x, { slope });
