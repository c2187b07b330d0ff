import { concat, pairForms, pairProducts, relu, sum, xavierUniform } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, flatten, mlp } from './layers.js';
import { regularized } from './layers/regularized.js';
import { defineModel, option } from './model.js';

/**
 * Product-based neural network.
 *
 *   z = H · MLP([v₁ … v_F, ⟨vᵢ, vⱼ⟩ … (use_inner), vⱼᵀ K_ij vᵢ … (use_outer)]),  loss + λ · Σ ‖W_MLP‖
 *
 * With K classes H has K rows. The paper's code leaves PNN binary; this rule is ours.
 */
export const pnn = defineModel({
  name: 'PNN',
  paper: 'Qu et al., Product-based Neural Networks for User Response Prediction, ICDM 2016, eq. 1-13',
  config: {
    mlp_hidden_size: option([128, 256, 128], 'widths of the hidden layers'),
    dropout_prob: option(0.0, 'dropout before each hidden layer'),
    use_inner: option(true, 'feed inner products of all pairs of fields to the MLP'),
    use_outer: option(false, 'feed bilinear forms of all pairs of fields to the MLP'),
    reg_weight: option(0.0, 'weight of the norms of the weights of the MLP in the loss'),
  },

  build(b, { mlp_hidden_size, dropout_prob, use_inner, use_outer, reg_weight }) {
    const embed = fieldEmbeddings(b);
    const [fields, dim] = [fieldCount(b.schema), b.embeddingSize];
    const pairs = (fields * (fields - 1)) / 2;
    const kernel = use_outer && b.parameter('outer_product.kernel', [dim, pairs, dim], xavierUniform());
    const inner = fields * dim + (use_inner ? pairs : 0) + (use_outer ? pairs : 0);
    const penalized = regularized(b, reg_weight, /weight$/);
    const options = { dropout: dropout_prob, activation: relu };
    const deep = mlp(penalized, 'mlp_layers', inner, mlp_hidden_size, options);
    const head = dense(b, 'predict_layer', deep.width, b.classes);

    return (batch) => {
      const e = embed(batch); // [B,F,D]
      const products = use_inner ? [sum(pairProducts(e), 2)] : []; // [B,P]
      const forms = kernel ? [pairForms(e, kernel)] : []; // [B,P]
      return head(deep(concat([flatten(e), ...products, ...forms], 1))); // logits [B,K]
    };
  },
});
