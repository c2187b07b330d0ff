import { add, dropout, linear, mul, normal, reshape, sum, transpose, type Tensor } from '../engine/index.js';
import { fieldEmbeddings, firstOrder, pairHead } from './layers.js';
import { fieldGroups, type FieldGroups, type Groups } from './layers/groups.js';
import { defineModel, option, type Builder } from './model.js';

/** r [G,G] of the groups of fields → [F,F], r_{g(i),g(j)}. */
function spread(r: Tensor, { of, count }: Groups): Tensor {
  if (of.every((g, i) => g === i)) return r;
  const ofGroup = Float32Array.from({ length: of.length * count }, (_, at) =>
    of[Math.floor(at / count)] === at % count ? 1 : 0,
  );
  const members = r.tape.constant('groups', [of.length, count], ofGroup); // [F,G]
  return linear(linear(members, transpose(r)), members);
}

/**
 * Weighted sum of pair products: e [B,F,D] → [B,D], Σᵢ vᵢ ⊙ Σⱼ﹥ᵢ r_ij vⱼ, or of the groups of i and j. As in the
 * reference, r is drawn once and never trained.
 */
function weightedPairs(b: Builder, fieldsOfGroups: FieldGroups | null) {
  const { token, tokenSeq, float } = b.schema;
  const names = [...tokenSeq, ...token, ...float].map(({ name }) => name);
  const [fields, groups] = [names.length, fieldGroups(names, fieldsOfGroups)];
  const r = b.tape.state('weight', [groups.count, groups.count, 1], normal());
  const above = Float32Array.from({ length: fields ** 2 }, (_, at) => (at % fields > at / fields ? 1 : 0));
  return (e: Tensor): Tensor => {
    const [batch, , dim] = e.shape;
    const upper = mul(
      spread(reshape(r, [groups.count, groups.count]), groups),
      b.tape.constant('above', [fields, fields], above),
    ); // r_ij, j > i
    const columns = reshape(transpose(e), [batch * dim, fields]); // [B·D,F]
    return reshape(sum(mul(linear(columns, upper), columns), 1), [batch, dim]);
  };
}

/**
 * Field-weighted factorization machine.
 *
 *   z = b + Σᵢ wᵢ + Σᵢ Σⱼ﹥ᵢ r_ij ⟨vᵢ, vⱼ⟩
 *
 * With `fields` r is that of the groups of i and j, by name; the reference numbers fields in another order than it embeds
 * them, and takes weights of others. With K classes w and b are per class, and pairs are summed over the embedding by K weight vectors, as in FM. The
 * paper's code leaves FwFM binary; this rule is ours.
 */
export const fwFm = defineModel({
  name: 'FwFM',
  paper:
    'Pan et al., Field-weighted Factorization Machines for Click-Through Rate Prediction in Display Advertising, WWW 2018, eq. 5',
  config: {
    dropout_prob: option(0.0, 'dropout of the weighted sum of pairs'),
    fields: option<FieldGroups | null>(
      null,
      "fields that share their weights: {0: ['user_id', 'age'], …}; each has its own if None",
    ),
  },

  build(b, { dropout_prob, fields }) {
    const embed = fieldEmbeddings(b);
    const first = firstOrder(b, b.classes);
    const pairs = weightedPairs(b, fields);
    const head = pairHead(b);

    return (batch) => {
      const pooled = dropout(pairs(embed(batch)), dropout_prob, b.tape.nextStream()); // [B,D]
      return add(first(batch), head(pooled)); // logits [B,K]
    };
  },
});
