import { zeros } from '../engine/index.js';
import { tableRows } from './layout.js';
import type { Builder } from './model.js';

/**
 * Declares what the reference's base class has in every model, used or not: embeddings and a first-order term. So
 * weights can be exchanged whole; what nothing reads is never trained. `has` says which names the model has itself.
 */
export function declareUnused(b: Builder, has: (name: string) => boolean): void {
  const { token, tokenSeq, float } = b.schema;
  const table = (name: string, rows: number, dim: number) => {
    if (rows > 0 && !has(name)) b.table(name, rows, dim);
  };
  for (const [prefix, dim] of [
    ['', b.embeddingSize],
    ['first_order_linear.', 1],
  ] as const) {
    table(`${prefix}token_embedding_table.embedding.weight`, tableRows(token), dim);
    tokenSeq.forEach(({ cardinality }, k) =>
      table(`${prefix}token_seq_embedding_table.${k}.weight`, cardinality, dim),
    );
    table(`${prefix}float_embedding_table.embedding.weight`, tableRows(float), dim);
  }
  if (!has('first_order_linear.bias')) b.parameter('first_order_linear.bias', [1], zeros);
}
