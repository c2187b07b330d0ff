import { defineOp } from '../op.js';
import { ShapeError, format, size } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** Rows of `half` numbers a part, and what an entry takes of them. */
function launchOf(rows: number, half: number) {
  const quads = Math.ceil(half / 4);
  const count = rows * quads;
  return { dims: { count, size: half, quads }, over: strided(count) };
}

const launchOfParts = ({ shape }: Tensor) => launchOf(shape[0], size(shape) / shape[0] / 2);

const unit = defineOp('complex_unit', ['x'], {
  shader: 'complex',
  shape: ({ x }) => [x.shape[0], 2, ...x.shape.slice(1)],
  forward({ x, y }, run) {
    const { dims, over } = launchOfParts(y);
    run('complex_unit_forward', { x, y }, dims, over);
  },
  backward({ y, dy, dx }, run) {
    const { dims, over } = launchOfParts(y);
    if (dx) run('complex_unit_backward', { y_forward: y, dy, dx }, dims, over);
  },
});

const between = (name: 'complex_log' | 'complex_exp', reads: 'x' | 'y') =>
  defineOp(name, ['x'], {
    shader: 'complex',
    shape({ x: { shape } }) {
      if (shape.length > 1 && shape[1] === 2) return shape;
      throw new ShapeError(
        `${name}: x ${format(shape)} has no parts; real and imaginary are axis 1, of size 2`,
      );
    },
    forward({ x, y }, run) {
      const { dims, over } = launchOfParts(x);
      run(`${name}_forward`, { x, y }, dims, over);
    },
    backward({ x, y, dy, dx }, run) {
      if (dx === undefined) return;
      const { dims, over } = launchOfParts(x);
      const read: Record<string, Tensor> = reads === 'x' ? { x } : { y_forward: y };
      run(`${name}_backward`, { ...read, dy, dx }, dims, over);
    },
  });

const log = between('complex_log', 'x');
const exp = between('complex_exp', 'y');

/** e^ix: x [B,..] → y [B,2,..], real parts cos x, then imaginary parts sin x. */
export const complexUnit = (x: Tensor): Tensor => unit(x);

/**
 * ln x: x [B,2,..] → y [B,2,..], ½ ln(re² + im² + 1e-8) and the angle in (−π, π]. The small number is that of EulerNet's
 * code. At 0 the angle has no gradient.
 */
export const complexLog = (x: Tensor): Tensor => log(x);

/** e^x: x [B,2,..] → y [B,2,..], e^re · cos im and e^re · sin im. */
export const complexExp = (x: Tensor): Tensor => exp(x);
