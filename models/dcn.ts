import { ShapeError, concat, crossVector, normal, relu, zeros } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, flatten, mlp } from './layers.js';
import { defineModel, option } from './model.js';

/**
 * Deep & cross network.
 *
 *   x₀ = [v₁ … v_F],  x_{l+1} = x₀ · (x_l · w_l) + b_l + x_l
 *   z = H · [x_L, MLP(x₀)],  loss + λ · Σ_l ‖w_l‖
 *
 * With K classes H has K rows. The paper's code leaves DCN binary; this rule is ours. Its option loss_type=rating, which
 * takes ratings for targets of binary logits, is kept.
 */
export const dcn = defineModel({
  name: 'DCN',
  paper: 'Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017, eq. 3-6',
  config: {
    mlp_hidden_size: option([256, 64, 8], 'widths of the hidden layers'),
    cross_layer_num: option(6, 'cross layers'),
    reg_weight: option(2, 'weight of the norms of cross_layer_w in the loss'),
    dropout_prob: option(0.2, 'dropout before each hidden layer'),
    loss_type: option(
      'label',
      'target of the logits: label, or rating for whole ratings in place of 0 and 1',
    ),
  },

  target({ loss_type }) {
    if (loss_type === 'label' || loss_type === 'rating') return loss_type;
    throw new ShapeError(`loss_type: "${loss_type}" is neither label nor rating; give one of them`);
  },

  build(b, { mlp_hidden_size, cross_layer_num, reg_weight, dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const layers = Array.from({ length: cross_layer_num }, (_, l) => ({
      w: b.parameter(`cross_layer_w.${l}`, [inner], normal()),
      bias: b.parameter(`cross_layer_b.${l}`, [inner], zeros),
    }));
    for (const { w } of layers) b.regularize(w, reg_weight);
    const options = { dropout: dropout_prob, activation: relu, norm: true };
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, options);
    const head = dense(b, 'predict_layer', inner + deep.width, b.classes);

    return (batch) => {
      const x0 = flatten(embed(batch)); // [B,F·D]
      const crossed = layers.reduce((x, { w, bias }) => crossVector(x0, x, w, bias), x0); // [B,F·D]
      return head(concat([crossed, deep(x0)], 1)); // logits [B,K]
    };
  },
});
