import { ShapeError, add, relu } from '../engine/index.js';
import { dense, eachField, fieldCount, fieldEmbeddings, firstOrder, flatten, mlp } from './layers.js';
import { selfAttention } from './layers/attention.js';
import { defineModel, option } from './model.js';

/**
 * Feature interactions by self-attention among fields, beside a multilayer perceptron.
 *
 *   X = [v₁ … v_F] · W
 *   z = b + Σᵢ wᵢ + A · ReLU(Attention_L(… Attention₁(X)) + [v₁ … v_F] · W_res) + H · MLP([v₁ … v_F])
 *
 * The residual is there with has_residual only, and attention layers follow one another without any, as in the paper's
 * code. With K classes A and H have K rows; the first-order term is one scalar for all classes.
 */
export const autoInt = defineModel({
  name: 'AutoInt',
  paper:
    'Song et al., AutoInt: Automatic Feature Interaction Learning via Self-Attentive Neural Networks, CIKM 2019, eq. 5-9',
  config: {
    attention_size: option(4, 'width of a field in the attention layers, shared by the heads'),
    n_layers: option(2, 'attention layers'),
    num_heads: option(2, 'heads of each attention layer, a divisor of attention_size'),
    dropout_probs: option(
      [0.2, 0.2, 0.2],
      'dropout of attention weights, before each hidden layer, and unused',
    ),
    mlp_hidden_size: option([8], 'widths of the hidden layers'),
    has_residual: option(false, 'add a linear map of the embeddings to the last attention layer'),
  },

  build(b, { attention_size, n_layers, num_heads, dropout_probs, mlp_hidden_size, has_residual }) {
    if (dropout_probs.length !== 3) {
      const what = `has ${dropout_probs.length} values, but takes 3`;
      throw new ShapeError(`dropout_probs: ${what}; give that of attention, of the MLP, and one not used`);
    }
    const [attentionDropout, dropout] = dropout_probs;
    const fields = fieldCount(b.schema);
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b);
    const enter = eachField(dense(b, 'att_embedding', b.embeddingSize, attention_size));
    const layers = Array.from({ length: n_layers }, (_, i) =>
      selfAttention(b, `self_attns.${i}`, attention_size, { heads: num_heads, dropout: attentionDropout }),
    );
    const residual = has_residual && eachField(dense(b, 'v_res_embedding', b.embeddingSize, attention_size));
    const attended = dense(b, 'attn_fc', fields * attention_size, b.classes);
    const inner = fields * b.embeddingSize;
    const deep = mlp(b, 'mlp_layers', inner, mlp_hidden_size, { dropout, activation: relu });
    const head = dense(b, 'deep_predict_layer', deep.width, b.classes);

    return (batch) => {
      const e = embed(batch); // [B,F,D]
      const x = layers.reduce((y, layer) => layer(y), enter(e)); // [B,F,A]
      const crossed = relu(residual ? add(x, residual(e)) : x); // [B,F,A]
      const both = add(attended(flatten(crossed)), head(deep(flatten(e)))); // [B,K]
      return add(both, first(batch)); // logits [B,K], first-order broadcast over K
    };
  },
});
