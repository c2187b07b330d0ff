import { add, relu } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, fieldPairs, firstOrder, flatten, mlp } from './layers.js';
import { defineModel, option } from './model.js';

/**
 * Factorization machine and multilayer perceptron over one embedding.
 *
 *   z = b + Σᵢ wᵢ + Σᵢ Σⱼ﹥ᵢ ⟨vᵢ, vⱼ⟩ + H · MLP([v₁ … v_F])
 *
 * With K classes w, b and H are per class and pairs are summed by K weight vectors, as in FM. The paper's code leaves
 * DeepFM binary; this rule is ours.
 */
export const deepFm = defineModel({
  name: 'DeepFM',
  paper:
    'Guo et al., DeepFM: A Factorization-Machine based Neural Network for CTR Prediction, IJCAI 2017, eq. 1-4',
  config: {
    mlp_hidden_size: option([128, 128, 128], 'widths of the hidden layers'),
    dropout_prob: option(0.2, 'dropout before each hidden layer'),
  },

  build(b, { mlp_hidden_size, dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b, b.classes);
    const pairs = fieldPairs(b);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, { dropout: dropout_prob, activation: relu });
    const head = dense(b, 'deep_predict_layer', deep.width, b.classes);

    return (batch) => {
      const e = embed(batch); // [B,F,D]
      const machine = add(first(batch), pairs(e)); // [B,K]
      return add(machine, head(deep(flatten(e)))); // logits [B,K]
    };
  },
});
