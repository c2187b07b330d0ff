import {
  ShapeError,
  add,
  concat,
  dropout,
  linear,
  mul,
  relu,
  reshape,
  sum,
  transpose,
  xavierNormal,
  type Tensor,
} from '../engine/index.js';
import { dense, eachField, fieldCount, fieldEmbeddings, flatten } from './layers.js';
import { selfAttention } from './layers/attention.js';
import { edges, gru, messages } from './layers/graph.js';
import { defineModel, option, type Builder } from './model.js';

/** Scores of fields, weighted: h [B,F,A] → [B,K], Σ_f (M_k · [h₁ … h_F])_f · ⟨m_k, h_f⟩. */
function scoring(b: Builder, fields: number, width: number) {
  const { classes } = b;
  const weights = (name: string, shape: readonly number[]) =>
    Array.from({ length: classes }, (_, k) =>
      b.parameter(classes === 1 ? `${name}.weight` : `${name}_layers.${k}.weight`, shape, xavierNormal()),
    );
  const [scorers, weighers] = [weights('mlp1', [1, width]), weights('mlp2', [fields, fields * width])];
  const score = eachField((h) => linear(h, concat(scorers, 0)));
  return (h: Tensor): Tensor => {
    const weight = linear(flatten(h), concat(weighers, 0)); // [B,K·F]
    return sum(mul(reshape(weight, [h.shape[0], classes, fields]), transpose(score(h))), 2);
  };
}

/**
 * Feature interactions by a graph neural network among fields.
 *
 *   a = ReLU(Attention([v₁ … v_F] · W) + [v₁ … v_F] · W_res)      graph = edges(a)
 *   h⁰ = a      hˡ = GRU(messages(graph, hˡ⁻¹), hˡ⁻¹) + a      z = scoring(hᴸ), L = n_layers − 1
 *
 * With K classes every class has a pair of scoring maps of its own, as in the paper's code.
 */
export const fiGnn = defineModel({
  name: 'FiGNN',
  paper:
    'Li et al., Fi-GNN: Modeling Feature Interactions via Graph Neural Networks for CTR Prediction, CIKM 2019, eq. 2-14',
  config: {
    attention_size: option(16, 'width of a field in attention and graph, shared by the heads'),
    n_layers: option(2, 'states of the graph, the first of which is the attention itself'),
    num_heads: option(2, 'heads of the attention, a divisor of attention_size'),
    hidden_dropout_prob: option(0.2, 'dropout before the attention'),
    attn_dropout_prob: option(0.2, 'dropout of attention weights'),
  },

  build(b, { attention_size: width, n_layers, num_heads: heads, hidden_dropout_prob, attn_dropout_prob }) {
    if (n_layers < 1)
      throw new ShapeError(`n_layers: is ${n_layers}, but the first state counts; give 1 or more`);
    const fields = fieldCount(b.schema);
    const embed = fieldEmbeddings(b);
    const enter = eachField(dense(b, 'att_embedding', b.embeddingSize, width));
    const attend = selfAttention(b, 'self_attn', width, { heads, dropout: attn_dropout_prob });
    const residual = eachField(dense(b, 'v_res_embedding', b.embeddingSize, width));
    const steps = Array.from({ length: n_layers - 1 }, (_, i) => messages(b, `gnn.${i}`, fields, width));
    const edgesOf = edges(b, width);
    const next = gru(b, 'gru_cell', width);
    const score = scoring(b, fields, width);

    return (batch) => {
      const e = embed(batch); // [B,F,D]
      const x = dropout(enter(e), hidden_dropout_prob, b.tape.nextStream()); // [B,F,A]
      const a = relu(add(attend(x), residual(e))); // [B,F,A]
      if (steps.length === 0) return score(a); // logits [B,K]
      const graph = edgesOf(a); // [B,F,F]
      return score(steps.reduce((h, message) => add(next(message(graph, h), h), a), a)); // logits [B,K]
    };
  },
});
