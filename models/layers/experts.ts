import {
  concat,
  linear,
  mul,
  normal,
  reshape,
  resize,
  size,
  softmax,
  tanh,
  transpose,
  zeros,
  type Tensor,
} from '../../engine/index.js';
import { dense } from '../layers.js';
import type { Builder } from '../model.js';

export interface ExpertSizes {
  /** Layers, which share their gates. */
  readonly count: number;
  readonly experts: number;
  readonly rank: number;
  /** Weight of the norms of U, V and C in the loss. */
  readonly penalty: number;
}

/** Matrix e of w [E,O,I] → [O,I]. */
function matrix(w: Tensor, e: number): Tensor {
  const [, rows, cols] = w.shape;
  return reshape(resize(reshape(w, [size(w.shape)]), rows * cols, e * rows * cols), [rows, cols]);
}

/** Gates of every expert: x [B,N] → [B,E], Σ = 1. Its parameters are those of one nn.Linear(N,1) an expert. */
function gates(b: Builder, inner: number, experts: number) {
  const all = Array.from({ length: experts }, (_, e) => dense(b, `gating.${e}`, inner, 1));
  return (x: Tensor): Tensor =>
    softmax(
      concat(
        all.map((gate) => gate(x)),
        1,
      ),
    );
}

/**
 * Cross maps of low rank: x [B,N] → Σ_e g_e(x) · (U_e tanh(C_e tanh(V_eᵀ x)) + b), for each of `count` layers. As the
 * gates sum to 1, b is added once. Wang et al. 2021, eq. 3 and 4.
 */
export function expertMixture(b: Builder, inner: number, { count, experts, rank, penalty }: ExpertSizes) {
  const gate = gates(b, inner, experts);
  return Array.from({ length: count }, (_, l) => {
    const u = b.parameter(`cross_layer_u.${l}`, [experts, inner, rank], normal());
    const v = b.parameter(`cross_layer_v.${l}`, [experts, inner, rank], normal());
    const c = b.parameter(`cross_layer_c.${l}`, [experts, rank, rank], normal());
    const bias = reshape(b.parameter(`bias.${l}`, [inner, 1], zeros), [inner]);
    for (const w of [u, v, c]) b.regularize(w, penalty);
    const into = transpose(v); // [E,R,N]
    const back = transpose(reshape(transpose(u), [experts * rank, inner])); // [N,E·R]
    return (x: Tensor): Tensor => {
      const inside = Array.from({ length: experts }, (_, e) =>
        tanh(linear(tanh(linear(x, matrix(into, e))), matrix(c, e))),
      ); // [B,R] each
      const apart = reshape(concat(inside, 1), [x.shape[0], experts, rank]);
      const weighted = mul(apart, reshape(gate(x), [x.shape[0], experts, 1])); // [B,E,R]
      return linear(reshape(weighted, [x.shape[0], experts * rank]), back, bias); // [B,N]
    };
  });
}
