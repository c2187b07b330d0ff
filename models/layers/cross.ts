import { add, linear, mul, normal, reshape, zeros, type Tensor } from '../../engine/index.js';
import type { Builder } from '../model.js';

/** A map of cross layers: x [B,N] → [B,N]. */
export type CrossMap = (x: Tensor) => Tensor;

/** W_l x + b_l of `count` layers, whose parameters stand under `prefix`; `penalty` weighs the norms of W in the loss. */
export function crossMatrices(
  b: Builder,
  prefix: string,
  inner: number,
  count: number,
  penalty = 0,
): readonly CrossMap[] {
  return Array.from({ length: count }, (_, l) => {
    const w = b.parameter(`${prefix}cross_layer_w.${l}`, [inner, inner], normal());
    const bias = b.parameter(`${prefix}bias.${l}`, [inner, 1], zeros);
    b.regularize(w, penalty);
    return (x) => linear(x, w, reshape(bias, [inner]));
  });
}

/** Cross layers one after another: x₀ [B,N] → x_L [B,N], x_{l+1} = x₀ ⊙ map_l(x_l) + x_l. Wang et al. 2021, eq. 1. */
export const crossed = (x0: Tensor, maps: readonly CrossMap[]): Tensor =>
  maps.reduce((x, map) => add(mul(x0, map(x)), x), x0);
