import { ShapeError, complexUnit, mul, ones, reshape, sum } from '../engine/index.js';
import { fieldCount, fieldEmbeddings } from './layers.js';
import { eulerLayer, gaussianDense, repeated } from './layers/euler.js';
import { regularized } from './layers/regularized.js';
import { defineModel, option } from './model.js';

/**
 * Feature interactions of learned order in a complex vector space.
 *
 *   z⁰_f = μ_f · e^{i·v_f},   zˡ_o = Norm(exp(Σ_f α_fo · ln zˡ⁻¹_f + b_o) + ReLU(Wˡ · zˡ⁻¹)_o),   z = w · Re zᴸ + w · Im zᴸ + 2b
 *
 * W acts on real and imaginary parts alike, b counts once for each, and there is a norm only with apply_norm. With K
 * classes w has K rows. No first-order term; all of it but the embeddings is regularised, norms that are not applied too.
 */
export const eulerNet = defineModel({
  name: 'EulerNet',
  paper:
    "Tian et al., EulerNet: Adaptive Feature Interaction Learning via Euler's Formula for CTR Prediction, SIGIR 2023",
  config: {
    order_list: option([30], 'number of products that each layer makes'),
    drop_ex: option(0.3, 'dropout of the logarithms and angles of the products'),
    drop_im: option(0.3, 'dropout before the linear layers'),
    apply_norm: option(false, 'normalise the products of each layer'),
    reg_weight: option(1e-5, 'weight of the norms of all parameters but embeddings'),
  },

  build(b, { order_list, drop_ex, drop_im, apply_norm, reg_weight }) {
    if (order_list.length === 0) throw new ShapeError('order_list: [] has no layers; give one or more');
    const fields = fieldCount(b.schema);
    const dim = b.embeddingSize;
    const embed = fieldEmbeddings(b);
    const penalized = regularized(b, reg_weight);
    const mu = penalized.parameter('mu', [1, fields, 1], ones);
    const options = { explicitDropout: drop_ex, implicitDropout: drop_im, norm: apply_norm };
    const layers = order_list.map((orders, i) => {
      const name = `Euler_interaction_layers.${i}`;
      return eulerLayer(penalized, name, i === 0 ? fields : order_list[i - 1], orders, options);
    });
    const width = (order_list.at(-1) ?? 0) * dim;
    const head = gaussianDense(penalized, 'reg', width, b.classes, 0.01);

    return (batch) => {
      const turned = complexUnit(embed(batch)); // [B,2,F,D]
      const [rows] = turned.shape;
      const lengths = repeated(reshape(mu, [fields, 1]), fields, dim); // [F·D]
      const z = mul(reshape(turned, [2 * rows, fields * dim]), lengths);
      const last = layers.reduce((x, layer) => layer(x), reshape(z, turned.shape)); // [B,2,O,D]
      const parts = head(reshape(last, [2 * rows, width])); // [2B,K]
      return sum(reshape(parts, [rows, 2, b.classes]), 1); // logits [B,K]
    };
  },
});
