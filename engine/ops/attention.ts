import { defineOp } from '../op.js';
import { ShapeError, dims, format } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { dropDims } from './dropout.js';

interface Attention {
  readonly heads: number;
  readonly dropout: number;
  readonly stream: number;
}

function sizes(qkv: Tensor, { heads, dropout, stream }: Attention) {
  const [batch, fields, width] = qkv.shape;
  const dim = width / (3 * heads);
  const scale = Math.fround(1 / Math.sqrt(dim));
  const drop = dropDims(qkv.tape.training ? dropout : 0);
  return { batch, fields, heads, dim, quads: Math.ceil(fields / 4), scale, stream, ...drop };
}

const attend = defineOp('attention', ['qkv'], {
  shape({ qkv }, { heads, dropout }: Attention) {
    const [batch, fields, width] = dims(qkv, 3, 'attention: qkv');
    if (!(Number.isInteger(heads) && heads > 0 && width % (3 * heads) === 0)) {
      const what = `queries, keys and values of ${heads} heads`;
      throw new ShapeError(`attention: qkv ${format(qkv.shape)} does not divide into ${what}`);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new ShapeError(`attention: dropout is ${dropout}, but 0 ≤ dropout < 1 is needed`);
    }
    return [batch, fields, width / 3];
  },

  /** Keys and values turned, attention weights before and after dropout. */
  saves({ qkv }, attributes) {
    const { batch, fields, heads, dim, quads } = sizes(qkv, attributes);
    return {
      kv: [batch, heads, 2, dim, 4 * quads],
      w: [batch, heads, fields, 4 * quads],
      kept: [batch, heads, fields, 4 * quads],
    };
  },

  forward({ qkv, kv, w, kept, y }, run, attributes) {
    const all = sizes(qkv, attributes);
    const buffers = { state: qkv.tape.stepState(), qkv, kv4: kv, w4: w, kept4: kept, y };
    run('attention_forward', buffers, all, [all.batch * all.heads]);
  },

  backward({ qkv, kv, w, kept, dy, dqkv }, run, attributes) {
    if (dqkv === undefined) return;
    const { batch, fields, heads, dim, quads, scale } = sizes(qkv, attributes);
    const s = run.scratch('s', w.shape);
    const buffers = { qkv, kv_forward4: kv, w_forward4: w, kept_forward4: kept, dy, s4: s, dqkv };
    run('attention_backward', buffers, { batch, fields, heads, dim, quads, scale }, [batch * heads]);
  },
});

/**
 * Multi-head scaled dot-product attention among the fields of a row: qkv [B,F,3·A] → y [B,F,A]; a row of qkv holds
 * query, key and value one after another, each of them its heads one after another. In training, attention weights are
 * dropped with probability `dropout`. Vaswani et al. 2017, eq. 1. Throws ShapeError where heads do not divide.
 */
export const attention = (qkv: Tensor, heads: number, dropout = 0, stream = qkv.tape.nextStream()): Tensor =>
  attend(qkv, { heads, dropout, stream });
