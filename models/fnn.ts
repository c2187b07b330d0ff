import { tanh } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, flatten, mlp } from './layers.js';
import { defineModel, option } from './model.js';

/**
 * Factorization-machine supported neural network.
 *
 *   z = H · MLP([v₁ … v_F]), tanh after each layer
 *
 * The paper begins with the embeddings of a trained factorization machine; RecBole has no such pre-training, nor has this.
 * With K classes H has K rows. The paper's code leaves FNN binary; this rule is ours.
 */
export const fnn = defineModel({
  name: 'FNN',
  paper: 'Zhang, Du and Wang, Deep Learning over Multi-field Categorical Data, ECIR 2016, eq. 1-4',
  config: {
    mlp_hidden_size: option([256, 256, 256], 'widths of the hidden layers'),
    dropout_prob: option(0.2, 'dropout before each hidden layer'),
  },

  build(b, { mlp_hidden_size, dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, { dropout: dropout_prob, activation: tanh });
    const head = dense(b, 'predict_layer', deep.width, b.classes);

    return (batch) => head(deep(flatten(embed(batch)))); // logits [B,K]
  },
});
