import {
  add,
  bmm,
  dropout,
  linear,
  normal,
  pairProducts,
  relu,
  reshape,
  softmax,
  type Tensor,
} from '../engine/index.js';
import { dense, eachField, fieldEmbeddings, firstOrder, flatten } from './layers.js';
import { regularized } from './layers/regularized.js';
import { defineModel, option, type Builder } from './model.js';

/** Weights of pairs: x [B,P,D] → [B,1,P], softmax over pairs of ⟨h, ReLU(W · x)⟩. */
function pairAttention(b: Builder, attentionSize: number, regWeight: number) {
  const inner = regularized(b, regWeight);
  const map = eachField(dense(inner, 'attlayer.w', b.embeddingSize, attentionSize, { bias: false }));
  const h = b.parameter('attlayer.h', [attentionSize], normal());
  const score = eachField((x) => linear(x, reshape(h, [1, attentionSize])));
  return (x: Tensor): Tensor => softmax(reshape(score(relu(map(x))), [x.shape[0], 1, x.shape[1]]));
}

/**
 * Attentional factorization machine.
 *
 *   z = b + Σᵢ wᵢ + ⟨p, Σᵢ Σⱼ﹥ᵢ αᵢⱼ (vᵢ ⊙ vⱼ)⟩,   α = softmax over pairs of ⟨h, ReLU(W (vᵢ ⊙ vⱼ))⟩
 *
 * With K classes w, b and p are per class. The paper's code leaves AFM binary; this rule is ours.
 */
export const afm = defineModel({
  name: 'AFM',
  paper:
    'Xiao et al., Attentional Factorization Machines: Learning the Weight of Feature Interactions, IJCAI 2017, eq. 4-6',
  config: {
    attention_size: option(25, 'width of the hidden layer that weighs pairs'),
    dropout_prob: option(0.3, 'dropout of the weighted sum of pairs'),
    reg_weight: option(2, 'weight of ‖W‖ of the attention in the loss'),
  },

  build(b, { attention_size, dropout_prob, reg_weight }) {
    const { classes, embeddingSize: dim } = b;
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b, classes);
    const attend = pairAttention(b, attention_size, reg_weight);
    const p = b.parameter('p', classes === 1 ? [dim] : [classes, dim], normal());

    return (batch) => {
      const x = pairProducts(embed(batch)); // [B,P,D]
      const pooled = flatten(bmm(attend(x), x)); // [B,D]
      const kept = dropout(pooled, dropout_prob, b.tape.nextStream()); // [B,D]
      return add(first(batch), linear(kept, reshape(p, [classes, dim]))); // logits [B,K]
    };
  },
});
