import type { Parameters, TinyRow } from './model_check.js';

/** Embeddings of a row's fields, as the reference orders them: sequences, tokens, floats. */
export function embeddingsOf(
  p: Parameters,
  prefix: string,
  row: TinyRow,
  dim: number,
  mode: 'mean' | 'sum',
): number[][] {
  const at = (table: string, id: number) => Array.from(p[prefix + table].slice(id * dim, (id + 1) * dim));
  const pooled = row.sequences.map((ids, k) => {
    const divisor = mode === 'mean' ? Math.max(ids.length, 1) : 1;
    const rows = ids.map((id) => at(`token_seq_embedding_table.${k}.weight`, id));
    return Array.from({ length: dim }, (_, d) => rows.reduce((sum, e) => sum + e[d], 0) / divisor);
  });
  const tokens = row.tokens.map((id) => at('token_embedding_table.embedding.weight', id));
  const floats = row.floats.map(({ row: id, value }) =>
    at('float_embedding_table.embedding.weight', id).map((weight) => weight * value),
  );
  return [...pooled, ...tokens, ...floats];
}

/** The first-order term of a row, one number a class. */
export function firstOrderOf(p: Parameters, row: TinyRow, width: number): number[] {
  const all = embeddingsOf(p, 'first_order_linear.', row, width, 'sum');
  return Array.from({ length: width }, (_, k) =>
    all.reduce((sum, e) => sum + e[k], p['first_order_linear.bias'][k]),
  );
}
