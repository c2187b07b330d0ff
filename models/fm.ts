import { add } from '../engine/index.js';
import { fieldEmbeddings, fieldPairs, firstOrder } from './layers.js';
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
    const pairs = fieldPairs(b);
    return (batch) => add(first(batch), pairs(embed(batch))); // logits [B,K]
  },
});
