import {
  add,
  bmm,
  edgeSoftmax,
  fanInUniform,
  fieldLinear,
  gruCell,
  linear,
  reshape,
  xavierNormal,
  zeros,
  type Tensor,
} from '../../engine/index.js';
import { eachField } from '../layers.js';
import type { Builder } from '../model.js';

/** Edge weights of the graph of fields: h [B,F,A] → [B,F,F], softmax over j ≠ i of LeakyReLU(⟨w, [hᵢ; hⱼ]⟩). */
export function edges(b: Builder, width: number) {
  const w = b.parameter('W_attn.weight', [1, 2 * width], xavierNormal());
  const halves = eachField((h) => linear(h, reshape(w, [2, width]))); // ⟨w₁, hᵢ⟩ and ⟨w₂, hᵢ⟩
  return (h: Tensor): Tensor => edgeSoftmax(halves(h), { slope: 0.01 });
}

/** What fields tell their neighbours: graph [B,F,F], h [B,F,A] → a [B,F,A], aᵢ = W_in,i Σⱼ graph_ij W_out,j hⱼ + p. */
export function messages(b: Builder, name: string, fields: number, width: number) {
  const into = b.parameter(`${name}.W_in`, [fields, width, width], xavierNormal());
  const out = b.parameter(`${name}.W_out`, [fields, width, width], xavierNormal());
  const bias = b.parameter(`${name}.bias_p`, [width], zeros);
  return (graph: Tensor, h: Tensor): Tensor => add(fieldLinear(bmm(graph, fieldLinear(h, out)), into), bias);
}

/** torch.nn.GRUCell `name` of every field: a, h [B,F,A] → the next h. */
export function gru(b: Builder, name: string, width: number) {
  const part = (of: string) => {
    const weight = b.parameter(`${name}.weight_${of}`, [3 * width, width], fanInUniform(width));
    const bias = b.parameter(`${name}.bias_${of}`, [3 * width], fanInUniform(width));
    return (x: Tensor) => linear(x, weight, bias);
  };
  const [input, state] = [part('ih'), part('hh')];
  return (a: Tensor, h: Tensor): Tensor => {
    const [x, before] = [a, h].map((t) => reshape(t, [t.shape[0] * t.shape[1], width])); // [B·F,A]
    return reshape(gruCell(input(x), state(before), before), h.shape);
  };
}
