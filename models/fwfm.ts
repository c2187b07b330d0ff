import { add, dropout, linear, mul, normal, reshape, sum, transpose, type Tensor } from '../engine/index.js';
import { fieldCount, fieldEmbeddings, firstOrder, pairHead } from './layers.js';
import { defineModel, option, type Builder } from './model.js';

/**
 * Weighted sum of pair products: e [B,F,D] → [B,D], Σᵢ vᵢ ⊙ Σⱼ﹥ᵢ r_ij vⱼ. As in the reference, r is drawn once and never
 * trained.
 */
function weightedPairs(b: Builder) {
  const fields = fieldCount(b.schema);
  const r = b.tape.state('weight', [fields, fields, 1], normal());
  const above = Float32Array.from({ length: fields ** 2 }, (_, at) => (at % fields > at / fields ? 1 : 0));
  return (e: Tensor): Tensor => {
    const [batch, , dim] = e.shape;
    const upper = mul(reshape(r, [fields, fields]), b.tape.constant('above', [fields, fields], above)); // r_ij, j > i
    const columns = reshape(transpose(e), [batch * dim, fields]); // [B·D,F]
    return reshape(sum(mul(linear(columns, upper), columns), 1), [batch, dim]);
  };
}

/**
 * Field-weighted factorization machine.
 *
 *   z = b + Σᵢ wᵢ + Σᵢ Σⱼ﹥ᵢ r_ij ⟨vᵢ, vⱼ⟩
 *
 * With K classes w and b are per class, and pairs are summed over the embedding by K weight vectors, as in FM. The
 * paper's code leaves FwFM binary; this rule is ours.
 */
export const fwFm = defineModel({
  name: 'FwFM',
  paper:
    'Pan et al., Field-weighted Factorization Machines for Click-Through Rate Prediction in Display Advertising, WWW 2018, eq. 5',
  config: { dropout_prob: option(0.0, 'dropout of the weighted sum of pairs') },

  build(b, { dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b, b.classes);
    const pairs = weightedPairs(b);
    const head = pairHead(b);

    return (batch) => {
      const pooled = dropout(pairs(embed(batch)), dropout_prob, b.tape.nextStream()); // [B,D]
      return add(first(batch), head(pooled)); // logits [B,K]
    };
  },
});
