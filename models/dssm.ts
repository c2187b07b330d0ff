import { ShapeError, linear, mul, reshape, rowNormalize, sum, tanh, xavierNormal } from '../engine/index.js';
import { mlp } from './layers.js';
import { sideCount, sidedEmbeddings, twoSided, type Side } from './layers/towers.js';
import { defineModel, option } from './model.js';

/**
 * Deep structured semantic model: two towers that meet in a cosine.
 *
 *   z = cos(MLP_user([v_user …]), MLP_item([v_item …])), tanh after each layer
 *
 * With K classes the products of the normalised outputs are summed by K weight vectors, z_k = ⟨p_k, û ⊙ v̂⟩, as FM's pairs
 * are. The paper's code leaves DSSM binary; this rule is ours.
 */
export const dssm = defineModel({
  name: 'DSSM',
  paper:
    'Huang et al., Learning Deep Structured Semantic Models for Web Search using Clickthrough Data, CIKM 2013, eq. 3-4',
  config: {
    mlp_hidden_size: option([256, 256, 256], 'widths of the hidden layers of each tower'),
    dropout_prob: option(0.3, 'dropout before each hidden layer'),
    double_tower: option(
      true,
      'split the fields by users and items, as DSSM must; with K classes z_k = ⟨p_k, û ⊙ v̂⟩ of the outputs',
    ),
  },
  arrange: twoSided,

  build(b, { mlp_hidden_size, dropout_prob, double_tower }) {
    if (!double_tower)
      throw new ShapeError('double_tower: false leaves DSSM no towers; leave the option out');
    const embed = sidedEmbeddings(b);
    const options = { dropout: dropout_prob, activation: tanh, norm: true };
    const tower = (side: Side) => {
      const fields = sideCount(b.schema, side);
      if (fields === 0) throw new ShapeError(`DSSM: no field describes the ${side}; load its id at least`);
      return mlp(b, `${side}_mlp_layers`, fields * b.embeddingSize, mlp_hidden_size, options);
    };
    const [users, items] = [tower('user'), tower('item')];
    const weights =
      b.classes > 1 && b.parameter('predict_layer.weight', [b.classes, users.width], xavierNormal());

    return (batch) => {
      const { user, item } = embed(batch); // [B,F_u·D], [B,F_i·D]
      const products = mul(rowNormalize(users(user)), rowNormalize(items(item))); // [B,H]
      if (weights) return linear(products, weights); // logits [B,K]
      return reshape(sum(products, 1), [products.shape[0], 1]); // logits [B,1], the cosine
    };
  },
});
