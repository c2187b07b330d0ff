import { add, fmPairs, fmPooled, xavierNormal, linear } from '../engine/index.js';
import { fieldEmbeddings, firstOrder } from './layers.js';
import { defineModel } from './model.js';

/**
 * Factorization machine.
 *
 *   z = b + Σᵢ wᵢ + Σᵢ Σⱼ﹥ᵢ ⟨vᵢ, vⱼ⟩
 *
 * With K classes w and b are per class, and the pair products are summed over the embedding by K weight vectors:
 * z_k = b_k + Σᵢ w_k,ᵢ + ⟨p_k, ½[(Σᵢ vᵢ)² − Σᵢ vᵢ²]⟩. The paper's code leaves FM binary; this rule is ours.
 */
export const fm = defineModel({
  name: 'FM',
  paper: 'Rendle, Factorization Machines, ICDM 2010, eq. 1 and lemma 3.1',
  config: {},

  build(b) {
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b, b.classes);
    if (b.classes === 1) return (batch) => add(first(batch), fmPairs(embed(batch))); // logits [B,1]
    const pairs = b.parameter('pair_layer.weight', [b.classes, b.embeddingSize], xavierNormal());
    return (batch) => add(first(batch), linear(fmPooled(embed(batch)), pairs)); // logits [B,K]
  },
});
