import {
  add,
  concat,
  embeddingGather,
  embeddingPool,
  fieldAwarePairs,
  mul,
  reshape,
  type RowIds,
  type Tensor,
} from '../engine/index.js';
import type { Batch } from './batch.js';
import { fieldCount, firstOrder, pairHead } from './layers.js';
import { fieldGroups, type FieldGroups } from './layers/groups.js';
import { tableRows } from './layout.js';
import { defineModel, option, type Builder } from './model.js';

/**
 * Embeddings of every feature for every field: batch → [B,F,F,D], features in the order tokens, floats, sequences. Fields
 * of one group share them, and all fields share the tables of sequences, as in the reference.
 */
function fieldAware(b: Builder, groups: FieldGroups | null): (batch: Batch) => Tensor {
  const { token, tokenSeq, float } = b.schema;
  const dim = b.embeddingSize;
  const fields = fieldCount(b.schema);
  const names = [...token, ...float, ...tokenSeq].map(({ name }) => name);
  const { of: groupOf, count } = fieldGroups(names, groups);
  const perGroup = (name: string, rows: number) =>
    Array.from({ length: rows > 0 ? count : 0 }, (_, g) => b.table(`ffm.${name}.${g}.weight`, rows, dim));
  const tokens = perGroup('token_embeddings', tableRows(token));
  const floats = perGroup('float_embeddings', tableRows(float));
  // The reference makes tables of sequences for every group, but all read those of the first.
  const sequences = Array.from({ length: count * tokenSeq.length }, (_, k) =>
    b.table(`ffm.token_seq_embeddings.0.${k}.weight`, tokenSeq[k % tokenSeq.length].cardinality, dim),
  );
  return (batch) => {
    const pool = (table: Tensor, ids: RowIds) =>
      reshape(embeddingPool(table, ids, 'mean'), [ids.ids.shape[0], 1, dim]); // [B,1,D]
    const pooled = b.embedded('embedding', () => batch.sequences.map((ids, k) => pool(sequences[k], ids)));
    const read = (g: number) => {
      const parts: Tensor[] = [];
      if (batch.tokens) parts.push(embeddingGather(tokens[g], batch.tokens)); // [B,tokens,D]
      if (batch.floats) {
        const { rows, values } = batch.floats;
        parts.push(mul(embeddingGather(floats[g], rows), reshape(values, [...values.shape, 1]))); // [B,floats,D]
      }
      return parts;
    };
    const forGroup = (g: number) => concat([...b.embedded('embedding', () => read(g)), ...pooled], 1); // [B,F,D]
    const forGroups = Array.from({ length: count }, (_, g) => forGroup(g));
    const all = concat(
      groupOf.map((g) => forGroups[g]),
      1,
    ); // [B,F·F,D]
    return reshape(all, [all.shape[0], fields, fields, dim]);
  };
}

/**
 * Field-aware factorization machine: every feature has an embedding for each field, v_{i,f}.
 *
 *   z = b + Σᵢ wᵢ + Σᵢ Σⱼ﹥ᵢ ⟨v_{i,j}, v_{j,i}⟩
 *
 * With `fields` j and i in the indices stand for their groups, v_{i,g(j)}. With K classes w and b are per class, and pairs are summed over the embedding by K weight vectors, as in FM. The
 * paper's code leaves FFM binary; this rule is ours.
 */
export const ffm = defineModel({
  name: 'FFM',
  paper: 'Juan et al., Field-aware Factorization Machines for CTR Prediction, RecSys 2016, eq. 4',
  config: {
    fields: option<FieldGroups | null>(
      null,
      "features that share a field: {0: ['user_id', 'age'], …}; each is a field of its own if None",
    ),
  },

  build(b, { fields }) {
    const embed = fieldAware(b, fields);
    const first = firstOrder(b, b.classes);
    const head = pairHead(b);
    return (batch) => add(first(batch), head(fieldAwarePairs(embed(batch)))); // logits [B,K]
  },
});
