import { defineOp } from '../op.js';
import { rowView } from '../segments.js';
import { ShapeError, dims, format, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { strided } from './strided.js';

/** Rows that one invocation sums before a second level unites the sums. */
const block = 64;

/** Buffers by the names of their vec4 views, where rows are whole vec4s. */
function viewOf([, cols]: readonly number[]) {
  const { lanes, four, suffix } = rowView(cols);
  const named = (buffers: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(buffers).map(([name, t]) => [`${name}${four}`, t]));
  return { width: cols / lanes, suffix, named };
}

const cross = defineOp('cross_vector', ['a', 'x', 'w', 'b'], {
  shape({ a, x, w, b }) {
    const [, cols] = dims(x, 2, 'cross_vector: x');
    if (!sameShape(a.shape, x.shape)) {
      throw new ShapeError(`cross_vector: a ${format(a.shape)} and x ${format(x.shape)} disagree`);
    }
    const other = [w, b].find(({ shape }) => !sameShape(shape, [cols]));
    if (other !== undefined) {
      const name = other === w ? 'w' : 'b';
      throw new ShapeError(
        `cross_vector: x ${format(x.shape)} needs ${name} [${cols}], but it is ${format(other.shape)}`,
      );
    }
    return x.shape;
  },

  /** x·w of each row. */
  saves: ({ x }) => ({ s: [x.shape[0]] }),

  forward({ a, x, w, b, s, y }, run) {
    const [batch] = x.shape;
    const { width, suffix, named } = viewOf(x.shape);
    const buffers = { ...named({ a, x, w, b, y }), s };
    run(`cross_vector_forward${suffix}`, buffers, { batch, width }, strided(batch));
  },

  backward({ a, x, w, s, dy, da, dx, dw, db }, run) {
    const [batch, cols] = x.shape;
    const { width, suffix, named } = viewOf(x.shape);
    const t = run.scratch('t', [batch]);
    const both = { da: da ?? run.scratch('da', a.shape), dx: dx ?? run.scratch('dx', x.shape) };
    const rows = { ...named({ a, w, dy, ...both }), s_forward: s, t };
    run(`cross_vector_backward${suffix}`, rows, { batch, width }, strided(batch));
    if (dw === undefined && db === undefined) return;
    const blocks = Math.ceil(batch / block);
    const partials = run.scratch('partials', [2, blocks, cols]);
    const read = { ...named({ x, dy, partials }), t_backward: t };
    run(`cross_vector_blocks${suffix}`, read, { batch, width, block, blocks }, [blocks * width]);
    const sums = { dw: dw ?? run.scratch('dw', w.shape), db: db ?? run.scratch('db', w.shape) };
    run('cross_vector_sums', { sums: partials, ...sums }, { width: cols, blocks }, [cols]);
  },
});

/**
 * A layer of the deep & cross network: a (its x₀) and x [B,N], w and b [N] → y [B,N] = a · (x·w) + b + x. Wang et al.
 * 2017, eq. 3. Throws ShapeError.
 */
export const crossVector = (a: Tensor, x: Tensor, w: Tensor, b: Tensor): Tensor => cross(a, x, w, b);
