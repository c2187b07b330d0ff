import {
  ShapeError,
  add,
  cin,
  concat,
  fanInUniform,
  relu,
  resize,
  sum,
  xavierNormal,
  type Tensor,
} from '../engine/index.js';
import { dense, fieldCount, fieldEmbeddings, firstOrder, flatten, mlp } from './layers.js';
import { regularized } from './layers/regularized.js';
import { defineModel, option, type Builder } from './model.js';

/** Widths of the layers as they are built: where they are split in halves, odd ones lose one, as in the reference. */
const widthsOf = (sizes: readonly number[], direct: boolean) =>
  direct ? sizes : sizes.map((size) => size - (size % 2));

/**
 * Compressed interaction network: e [B,F,D] → [B,width], Σ_d of the feature maps X¹ … X^L,
 * Xˡ_o = ReLU(b_o + Σ_h Σ_m W_ohm · Xˡ⁻¹_h ⊙ e_m). Unless `direct`, only the first half of each Xˡ goes on to the next
 * layer and only the second to the result, and the last one to the result alone.
 */
function interactions(b: Builder, sizes: readonly number[], direct: boolean) {
  const fields = fieldCount(b.schema);
  const widths = widthsOf(sizes, direct);
  if (widths.length === 0 || widths.some((width) => width < 1)) {
    const least = direct ? 1 : 2;
    throw new ShapeError(`cin_layer_size: [${sizes}] leaves [${widths}]; give layers of ${least} or more`);
  }
  const layers = widths.map((width, i) => {
    const inner = (i === 0 ? fields : direct ? widths[i - 1] : widths[i - 1] / 2) * fields;
    const weight = b.parameter(`conv1d_list.${i}.weight`, [width, inner, 1], xavierNormal());
    const bias = b.parameter(`conv1d_list.${i}.bias`, [width], fanInUniform(inner));
    return (x: Tensor, e: Tensor) => relu(cin(x, e, weight, bias)); // [B,width,D], of the first channels of x
  });
  const skipped = widths.map((width, i) => (direct || i === widths.length - 1 ? 0 : width / 2));
  const forward = (e: Tensor): Tensor => {
    let x = e;
    const pooled = layers.map((layer, i) => {
      x = layer(x, e);
      return resize(sum(x, 2), widths[i] - skipped[i], skipped[i]);
    });
    return concat(pooled, 1);
  };
  return Object.assign(forward, { width: widths.reduce((total, width, i) => total + width - skipped[i], 0) });
}

/**
 * Explicit feature interactions of bounded degree beside a multilayer perceptron.
 *
 *   z = b + Σᵢ wᵢ + c · CIN(v₁ … v_F) + MLP([v₁ … v_F])
 *
 * The last layer of the MLP gives the logits and has a ReLU like the others. With K classes it has K outputs; the
 * first-order term and that of the CIN are one scalar for all classes, as in the paper's code.
 */
export const xDeepFm = defineModel({
  name: 'xDeepFM',
  paper:
    'Lian et al., xDeepFM: Combining Explicit and Implicit Feature Interactions for Recommender Systems, KDD 2018, eq. 6-15',
  config: {
    mlp_hidden_size: option([128, 128, 128], 'widths of the hidden layers'),
    reg_weight: option(5e-4, 'weight of the norms of the weights of MLP, first-order term and CIN'),
    dropout_prob: option(0.2, 'dropout before each layer of the MLP'),
    direct: option(false, 'all of each CIN layer goes on and to the output, instead of one half each'),
    cin_layer_size: option([100, 100, 100], 'widths of the CIN layers, even unless direct'),
  },

  notes({ direct, cin_layer_size }) {
    const widths = widthsOf(cin_layer_size, direct);
    if (widths.every((width, i) => width === cin_layer_size[i])) return [];
    return [
      `cin_layer_size: [${cin_layer_size}] has odd widths, which cannot be halved; it is [${widths}] now`,
    ];
  },

  build(b, { mlp_hidden_size, reg_weight, dropout_prob, direct, cin_layer_size }) {
    const embed = fieldEmbeddings(b);
    const penalized = regularized(b, reg_weight, /weight$/);
    const first = firstOrder(penalized);
    const crossed = interactions(penalized, cin_layer_size, direct);
    const inner = fieldCount(b.schema) * b.embeddingSize;
    const sizes = [...mlp_hidden_size, b.classes];
    const deep = mlp(penalized, 'mlp_layers', inner, sizes, { dropout: dropout_prob, activation: relu });
    const head = dense(b, 'cin_linear', crossed.width, 1);

    return (batch) => {
      const e = embed(batch); // [B,F,D]
      return add(deep(flatten(e)), add(head(crossed(e)), first(batch))); // logits [B,K], the sum of both broadcast over K
    };
  },
});
