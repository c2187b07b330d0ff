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
import { tableRows } from './layout.js';
import { defineModel, type Builder } from './model.js';

/**
 * Embeddings of every feature for every field: batch → [B,F,F,D], features in the order tokens, floats, sequences. All
 * fields share the tables of sequences, as in the reference.
 */
function fieldAware(b: Builder): (batch: Batch) => Tensor {
  const { token, tokenSeq, float } = b.schema;
  const dim = b.embeddingSize;
  const fields = fieldCount(b.schema);
  const perField = (name: string, rows: number) =>
    Array.from({ length: rows > 0 ? fields : 0 }, (_, f) => b.table(`ffm.${name}.${f}.weight`, rows, dim));
  const tokens = perField('token_embeddings', tableRows(token));
  const floats = perField('float_embeddings', tableRows(float));
  // The reference makes tables of sequences for every field, but all fields read those of the first.
  const sequences = Array.from({ length: fields * tokenSeq.length }, (_, k) =>
    b.table(`ffm.token_seq_embeddings.0.${k}.weight`, tokenSeq[k % tokenSeq.length].cardinality, dim),
  );
  return (batch) => {
    const pool = (table: Tensor, ids: RowIds) =>
      reshape(embeddingPool(table, ids, 'mean'), [ids.ids.shape[0], 1, dim]); // [B,1,D]
    const pooled = b.embedded('embedding', () => batch.sequences.map((ids, k) => pool(sequences[k], ids)));
    const read = (f: number) => {
      const parts: Tensor[] = [];
      if (batch.tokens) parts.push(embeddingGather(tokens[f], batch.tokens)); // [B,tokens,D]
      if (batch.floats) {
        const { rows, values } = batch.floats;
        parts.push(mul(embeddingGather(floats[f], rows), reshape(values, [...values.shape, 1]))); // [B,floats,D]
      }
      return parts;
    };
    const forField = (f: number) => concat([...b.embedded('embedding', () => read(f)), ...pooled], 1); // [B,F,D]
    const all = concat(
      Array.from({ length: fields }, (_, f) => forField(f)),
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
 * With K classes w and b are per class, and pairs are summed over the embedding by K weight vectors, as in FM. The
 * paper's code leaves FFM binary; this rule is ours.
 */
export const ffm = defineModel({
  name: 'FFM',
  paper: 'Juan et al., Field-aware Factorization Machines for CTR Prediction, RecSys 2016, eq. 4',
  config: {},

  build(b) {
    const embed = fieldAware(b);
    const first = firstOrder(b, b.classes);
    const head = pairHead(b);
    return (batch) => add(first(batch), head(fieldAwarePairs(embed(batch)))); // logits [B,K]
  },
});
