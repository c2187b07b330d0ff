import { ShapeError, concat, relu } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, flatten, mlp } from './layers.js';
import { crossMatrices, crossed } from './layers/cross.js';
import { expertMixture } from './layers/experts.js';
import { defineModel, option } from './model.js';

/**
 * Deep & cross network with weight matrices, or with mixtures of low-rank experts (`mixed`).
 *
 *   x₀ = [v₁ … v_F],  x_{l+1} = x₀ ⊙ (W_l x_l + b_l) + x_l
 *   mixed: W_l x = Σ_e softmax_e(g_e(x)) · U_e tanh(C_e tanh(V_eᵀ x)), the gates g shared by all layers
 *   z = H · [x_L, MLP(x₀)] in parallel, H · MLP(x_L) stacked,  loss + λ · Σ ‖W‖ (mixed: of all U, V and C)
 *
 * With K classes H has K rows, as in the paper's code.
 */
export const dcnV2 = defineModel({
  name: 'DCNV2',
  paper:
    'Wang et al., DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems, ' +
    'WWW 2021, eq. 1-3',
  config: {
    mixed: option(false, 'cross layers are mixtures of low-rank experts'),
    structure: option('parallel', 'where the MLP stands: parallel to the cross layers, or stacked on them'),
    cross_layer_num: option(6, 'cross layers'),
    expert_num: option(4, 'experts of each layer, if mixed'),
    low_rank: option(128, 'rank of each expert, if mixed'),
    mlp_hidden_size: option([256, 64, 8], 'widths of the hidden layers'),
    reg_weight: option(2, 'weight of the norms of the cross layers in the loss'),
    dropout_prob: option(0.2, 'dropout before each hidden layer'),
  },

  build(b, { mixed, structure, expert_num, low_rank, mlp_hidden_size, ...options }) {
    if (structure !== 'parallel' && structure !== 'stacked') {
      throw new ShapeError(`structure: "${structure}" is neither parallel nor stacked; give one of them`);
    }
    const embed = fieldEmbeddings(b);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const { cross_layer_num: count, reg_weight } = options;
    const maps = mixed
      ? expertMixture(b, inner, { count, experts: expert_num, rank: low_rank, penalty: reg_weight })
      : crossMatrices(b, '', inner, count, reg_weight);
    const mlpOptions = { dropout: options.dropout_prob, activation: relu, norm: true };
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, mlpOptions);

    if (structure === 'stacked') {
      const head = dense(b, 'predict_layer', deep.width, b.classes);
      return (batch) => head(deep(crossed(flatten(embed(batch)), maps))); // logits [B,K]
    }
    const head = dense(b, 'predict_layer', inner + deep.width, b.classes);
    return (batch) => {
      const x0 = flatten(embed(batch)); // [B,F·D]
      return head(concat([crossed(x0, maps), deep(x0)], 1)); // logits [B,K]
    };
  },
});
