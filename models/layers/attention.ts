import { ShapeError, attention, linear, xavierUniform, zeros, type Tensor } from '../../engine/index.js';
import { dense, eachField } from '../layers.js';
import type { Builder } from '../model.js';

export interface AttentionOptions {
  readonly heads: number;
  /** Of attention weights. */
  readonly dropout: number;
}

/**
 * Multi-head attention `name` of a row's fields to one another, [B,F,width] → [B,F,width], with the parameters of
 * torch.nn.MultiheadAttention. Throws ShapeError where the heads do not divide the width.
 */
export function selfAttention(b: Builder, name: string, width: number, options: AttentionOptions) {
  const { heads, dropout } = options;
  if (!(Number.isInteger(heads) && heads > 0 && width % heads === 0)) {
    const remedy = 'choose a num_heads that divides attention_size';
    throw new ShapeError(`num_heads: attention_size ${width} does not divide into ${heads} heads; ${remedy}`);
  }
  const weight = b.parameter(`${name}.in_proj_weight`, [3 * width, width], xavierUniform());
  const bias = b.parameter(`${name}.in_proj_bias`, [3 * width], zeros);
  const project = eachField((x) => linear(x, weight, bias));
  const combine = eachField(dense(b, `${name}.out_proj`, width, width));
  return (x: Tensor): Tensor => combine(attention(project(x), heads, dropout, b.tape.nextStream()));
}
