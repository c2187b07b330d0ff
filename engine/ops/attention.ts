import { defineOp } from '../op.js';
import { ShapeError, dims, format, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { dropDims } from './dropout.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';

interface Attention {
  readonly heads: number;
  /** What the products of queries and keys are multiplied by. */
  readonly scale: number;
  readonly dropout: number;
  readonly stream: number;
}

function sizes(qkv: Tensor, { heads, scale, dropout, stream }: Attention) {
  const [batch, fields, all] = qkv.shape;
  const drop = dropDims(qkv.tape.training ? dropout : 0);
  const [width, quads] = [all / (12 * heads), Math.ceil(fields / 4)];
  return { batch, fields, heads, width, quads, scale, stream, ...drop };
}

function shape(qkv: Tensor, heads: number, dropout: number): Shape {
  const [batch, fields, width] = dims(qkv, 3, 'attention: qkv');
  if (!(Number.isInteger(heads) && heads > 0 && width % (3 * heads) === 0)) {
    const what = `does not divide into queries, keys and values of ${heads} heads`;
    throw new ShapeError(`attention: qkv ${format(qkv.shape)} ${what}`);
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new ShapeError(`attention: dropout is ${dropout}, but 0 ≤ dropout < 1 is needed`);
  }
  return [batch, fields, width / 3];
}

/** Heads of whole vec4s. */
const wide = defineOp('attention', ['qkv'], {
  shape: ({ qkv }, { heads, dropout }: Attention) => shape(qkv, heads, dropout),

  /** Attention weights before and after dropout. */
  saves({ qkv }, attributes) {
    const { batch, fields, heads, quads } = sizes(qkv, attributes);
    const weights = [batch, heads, fields, 4 * quads];
    return { w: weights, kept: weights };
  },

  forward({ qkv, w, kept, y }, run, attributes) {
    const all = sizes(qkv, attributes);
    const buffers = { state: qkv.tape.stepState(), qkv4: qkv, w4: w, kept4: kept, y4: y };
    run('attention_forward', buffers, all, [all.batch * all.heads]);
  },

  backward({ qkv, w, kept, dy, dqkv }, run, attributes) {
    if (dqkv === undefined) return;
    const { batch, fields, heads, width, quads, scale } = sizes(qkv, attributes);
    const s = run.scratch('s', w.shape);
    const buffers = { qkv4: qkv, w_forward4: w, kept_forward4: kept, dy4: dy, s4: s, dqkv4: dqkv };
    run('attention_backward', buffers, { batch, fields, heads, width, quads, scale }, [batch * heads]);
  },
});

/**
 * Multi-head scaled dot-product attention among the fields of a row: qkv [B,F,3·A] → y [B,F,A]; a row of qkv holds
 * query, key and value one after another, each of them its heads one after another. In training, attention weights are
 * dropped with probability `dropout`. Vaswani et al. 2017, eq. 1. Throws ShapeError where heads do not divide.
 */
export function attention(qkv: Tensor, heads: number, dropout = 0, stream = qkv.tape.nextStream()): Tensor {
  const [batch, fields, width] = shape(qkv, heads, dropout);
  const dim = width / heads;
  const attributes = { heads, scale: Math.fround(1 / Math.sqrt(dim)), dropout, stream };
  if (dim % 4 === 0) return wide(qkv, attributes);
  const padded = 4 * Math.ceil(dim / 4);
  const apart = resize(reshape(qkv, [batch, fields * 3 * heads, dim]), padded);
  const y = wide(reshape(apart, [batch, fields, 3 * heads * padded]), attributes);
  return reshape(resize(reshape(y, [batch, fields * heads, padded]), dim), [batch, fields, width]);
}
