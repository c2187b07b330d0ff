import { add, fmPooled, sigmoid } from '../engine/index.js';
import { dense, fieldEmbeddings, firstOrder, mlp, normalization } from './layers.js';
import { defineModel, option } from './model.js';

/**
 * Neural factorization machine.
 *
 *   z = b + Σᵢ wᵢ + H · MLP(BN(½[(Σᵢ vᵢ)² − Σᵢ vᵢ²]))
 *
 * With K classes H has K rows and a bias, and the first-order term is one scalar for all classes, as in the paper's code.
 */
export const nfm = defineModel({
  name: 'NFM',
  paper: 'He and Chua, Neural Factorization Machines for Sparse Predictive Analytics, SIGIR 2017, eq. 4-7',
  config: {
    mlp_hidden_size: option([64, 64, 64], 'widths of the hidden layers'),
    dropout_prob: option(0.0, 'dropout before each hidden layer'),
  },

  build(b, { mlp_hidden_size, dropout_prob }) {
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b);
    const norm = normalization(b, 'bn', b.embeddingSize);
    const options = { dropout: dropout_prob, activation: sigmoid, norm: true };
    const deep = mlp(b, 'mlp_layers', b.embeddingSize, mlp_hidden_size, options);
    const head = dense(b, 'predict_layer', deep.width, b.classes, { bias: b.classes > 1 });

    return (batch) => {
      const pooled = norm(fmPooled(embed(batch))); // [B,D]
      return add(head(deep(pooled)), first(batch)); // logits [B,K], first-order broadcast over K
    };
  },
});
