import { defineOp } from '../op.js';
import { ShapeError, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

interface Columns {
  readonly width: number;
  readonly first: number;
}

function launch(run: Run, x: Tensor, y: Tensor, first: number): void {
  const [before, after] = [x, y].map(({ shape }) => shape[shape.length - 1]);
  const count = size(y.shape);
  const shift = { skipped: Math.max(first, 0), added: Math.max(-first, 0) };
  run('resize_forward', { x, y }, { count, before, after, ...shift }, strided(count));
}

const resized = defineOp('resize', ['x'], {
  shape({ x }, { width, first }: Columns) {
    if (Number.isInteger(width) && width > 0 && Number.isInteger(first))
      return [...x.shape.slice(0, -1), width];
    throw new ShapeError(
      `resize: width ${width} from column ${first} on; both must be whole, and the width at least 1`,
    );
  },
  forward: ({ x, y }, run, { first }) => launch(run, x, y, first),
  backward({ dy, dx }, run, { first }) {
    if (dx) launch(run, dy, dx, -first);
  },
});

/**
 * Columns first … first + width − 1 of the last axis: x [..,N] → y [..,width]; zeros where x has no such column. Throws
 * ShapeError if they are not whole numbers.
 */
export const resize = (x: Tensor, width: number, first = 0): Tensor =>
  first === 0 && x.shape[x.shape.length - 1] === width ? x : resized(x, { width, first });
