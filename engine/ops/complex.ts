import { defineOp } from '../op.js';
import { ShapeError, format, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** Runs an entry over rows of two parts, `parts` [B,2,..]: by vec4s where a part is whole ones. */
function launch(run: Run, entry: string, parts: Tensor, buffers: Readonly<Record<string, Tensor>>): void {
  const [rows] = parts.shape;
  const half = size(parts.shape) / rows / 2;
  const quads = Math.ceil(half / 4);
  const count = rows * quads;
  if (half % 4 !== 0) {
    run(entry, buffers, { count, quads, size: half }, strided(count));
    return;
  }
  const four = Object.fromEntries(Object.entries(buffers).map(([name, t]) => [`${name}4`, t]));
  run(`${entry}_vec4`, four, { count, quads }, strided(count));
}

const unit = defineOp('complex_unit', ['x'], {
  shader: 'complex',
  shape: ({ x }) => [x.shape[0], 2, ...x.shape.slice(1)],
  forward: ({ x, y }, run) => launch(run, 'complex_unit_forward', y, { x, y }),
  backward({ y, dy, dx }, run) {
    if (dx) launch(run, 'complex_unit_backward', y, { y_forward: y, dy, dx });
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
    forward: ({ x, y }, run) => launch(run, `${name}_forward`, x, { x, y }),
    backward({ x, y, dy, dx }, run) {
      const read: Record<string, Tensor> = reads === 'x' ? { x } : { y_forward: y };
      if (dx) launch(run, `${name}_backward`, x, { ...read, dy, dx });
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
