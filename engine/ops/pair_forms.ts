import { defineOp } from '../op.js';
import { ShapeError, dims, format, sameShape, size } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';
import { resize } from './resize.js';
import { strided } from './strided.js';

/** Rows that one partial sum of dk covers. */
const rowsPerSplit = 128;

function sizes(p: Tensor, q: Tensor) {
  const [batch, fields, dim] = q.shape;
  return { batch, fields, pairs: (fields * (fields - 1)) / 2, dim, width: p.shape[2] / 4 };
}

function backwardK(p: Tensor, q: Tensor, dy: Tensor, dk: Tensor, run: Run): void {
  const all = sizes(p, q);
  const quads = size(dk.shape) / 4;
  const splits = Math.ceil(all.batch / rowsPerSplit);
  const partials = splits === 1 ? dk : run.scratch('partials', [splits, 4 * quads]);
  const over = [all.dim * all.fields ** 2, splits];
  const sizesOfSplit = { ...all, per_split: rowsPerSplit, quads };
  run('pair_forms_backward_k', { p4: p, q, dy, partials4: partials }, sizesOfSplit, over);
  if (splits > 1) run('pair_forms_sums', { sums4: partials, dk4: dk }, { splits, quads }, strided(quads));
}

/** p and k in rows of whole vec4s, filled up with zeros. */
const forms = defineOp('pair_forms', ['p', 'q', 'k'], {
  shape: ({ p, q }) => [q.shape[0], sizes(p, q).pairs],

  forward({ p, q, k, y }, run) {
    const all = sizes(p, q);
    run('pair_forms_forward', { p4: p, q, k4: k, y }, all, strided(all.batch));
  },

  backward({ p, q, k, dy, dp, dq, dk }, run) {
    const all = sizes(p, q);
    const rows = strided(all.batch);
    if (dp) run('pair_forms_backward_p', { q, k4: k, dy, dp4: dp }, all, rows);
    if (dq) run('pair_forms_backward_q', { p4: p, k4: k, dy, dq }, all, rows);
    if (dk) backwardK(p, q, dy, dk, run);
  },
});

/**
 * A bilinear form for each pair of fields: e [B,F,D], k [D,P,D] → y [B,P], P = F·(F − 1)/2,
 * y[b,(i,j)] = Σ_o Σ_c e[b,j,o] · k[o,(i,j),c] · e[b,i,c], pairs in the order (0,1), (0,2), … (F−2,F−1). Qu et al. 2016,
 * the outer product layer. Throws ShapeError.
 */
export function pairForms(e: Tensor, k: Tensor): Tensor {
  const [, fields, dim] = dims(e, 3, 'pair_forms: e');
  const wanted = [dim, (fields * (fields - 1)) / 2, dim];
  if (fields < 2) {
    throw new ShapeError(`pair_forms: e ${format(e.shape)} has ${fields} field, but pairs need 2 or more`);
  }
  if (!sameShape(k.shape, wanted)) {
    throw new ShapeError(
      `pair_forms: e ${format(e.shape)} needs k ${format(wanted)}, but it is ${format(k.shape)}`,
    );
  }
  const width = 4 * Math.ceil(dim / 4);
  return forms(resize(e, width), e, resize(k, width));
}
