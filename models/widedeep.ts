import { add, relu } from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, firstOrder, flatten, mlp } from './layers.js';
import { defineModel, option } from './model.js';

/**
 * Wide & Deep.
 *
 *   z = b + Σᵢ wᵢ + H · MLP([v₁ … v_F])
 *
 * With K classes H has K rows, and the wide part is one scalar for all classes, as in the paper's code.
 */
export const wideDeep = defineModel({
  name: 'WideDeep',
  paper: 'Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016, eq. 3',
  config: {
    mlp_hidden_size: option([32, 16, 8], 'widths of the hidden layers'),
    dropout_prob: option(0.1, 'dropout before each hidden layer'),
  },

  build(b, { mlp_hidden_size, dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const wide = firstOrder(b);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, { dropout: dropout_prob, activation: relu });
    const head = dense(b, 'deep_predict_layer', deep.width, b.classes);

    return (batch) => {
      const x = flatten(embed(batch)); // [B,F·D]
      return add(head(deep(x)), wide(batch)); // logits [B,K], the wide part broadcast over K
    };
  },
});
