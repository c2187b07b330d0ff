import {
  add,
  batchNorm,
  concat,
  constant,
  dropout,
  embeddingGather,
  embeddingPool,
  fmPairs,
  fmPooled,
  linear,
  mul,
  ones,
  relu,
  reluDropout,
  reshape,
  sigmoid,
  sigmoidDropout,
  sum,
  xavierNormal,
  zeros,
  type PoolMode,
  type RowIds,
  type Tensor,
} from '../engine/index.js';
import type { Schema } from '../data/schema.js';
import type { Batch } from './batch.js';
import { tableRows } from './layout.js';
import type { Builder, Forward } from './model.js';

/**
 * Embeddings of every field under `prefix`, each [B,n,dim]: sequences, tokens, floats, as the reference orders them.
 * `mode` pools sequences; those who sum them want tokens summed too.
 */
export function embeddings(
  b: Builder,
  prefix: string,
  dim: number,
  mode: PoolMode,
): (batch: Batch) => Tensor[] {
  const { token, tokenSeq, float } = b.schema;
  const tokens =
    token.length > 0 && b.table(`${prefix}token_embedding_table.embedding.weight`, tableRows(token), dim);
  const floats =
    float.length > 0 && b.table(`${prefix}float_embedding_table.embedding.weight`, tableRows(float), dim);
  const sequences = tokenSeq.map(({ cardinality }, k) =>
    b.table(`${prefix}token_seq_embedding_table.${k}.weight`, cardinality, dim),
  );
  const pool = (table: Tensor, ids: RowIds) =>
    reshape(embeddingPool(table, ids, mode), [ids.ids.shape[0], 1, dim]); // [B,1,D]
  const read = (batch: Batch) => {
    const parts = batch.sequences.map((ids, k) => pool(sequences[k], ids));
    if (tokens && batch.tokens)
      parts.push(mode === 'sum' ? pool(tokens, batch.tokens) : embeddingGather(tokens, batch.tokens)); // or [B,tokens,D]
    if (floats && batch.floats) {
      const { rows, values } = batch.floats;
      parts.push(mul(embeddingGather(floats, rows), reshape(values, [...values.shape, 1]))); // [B,floats,D]
    }
    return parts;
  };
  const kind = prefix === '' ? 'embedding' : 'weight';
  return (batch) => b.embedded(kind, () => read(batch));
}

/** All fields embedded: batch → [B,F,D], token sequences as the mean of their tokens. RecBole's ContextRecommender. */
export function fieldEmbeddings(b: Builder): (batch: Batch) => Tensor {
  const embed = embeddings(b, '', b.embeddingSize, 'mean');
  return (batch) => concat(embed(batch), 1);
}

/**
 * First-order term: batch → [B,width], Σ over fields of a weight per feature (per class if width > 1) + bias; token
 * sequences count every token. RecBole's FMFirstOrderLinear.
 */
export function firstOrder(b: Builder, width = 1): Forward {
  const weights = embeddings(b, 'first_order_linear.', width, 'sum');
  const bias = b.parameter('first_order_linear.bias', [width], zeros);
  return (batch) => {
    const parts = weights(batch).map((part) => (part.shape[1] === 1 ? flatten(part) : sum(part, 1))); // [B,width] each
    return add(
      parts.reduce((a, part) => add(a, part)),
      bias,
    );
  };
}

/**
 * Pairwise products of all fields: e [B,F,D] → [B,K], Σᵢ Σⱼ﹥ᵢ ⟨vᵢ, vⱼ⟩. With several classes the products are summed over
 * the embedding by a weight vector of each class, p_k: ⟨p_k, ½[(Σᵢ vᵢ)² − Σᵢ vᵢ²]⟩.
 */
export function fieldPairs(b: Builder): (e: Tensor) => Tensor {
  if (b.classes === 1) return fmPairs;
  const head = pairHead(b);
  return (e) => head(fmPooled(e));
}

/** Sum of pair products [B,D] → [B,K]: over the embedding, or with several classes by a weight vector of each class. */
export function pairHead(b: Builder): (pooled: Tensor) => Tensor {
  if (b.classes === 1) return (pooled) => reshape(sum(pooled, 1), [pooled.shape[0], 1]);
  return dense(b, 'pair_layer', b.embeddingSize, b.classes, { bias: false });
}

/** Fields of an embedded batch: F of [B,F,D]. */
export const fieldCount = ({ token, tokenSeq, float }: Schema): number =>
  tokenSeq.length + token.length + float.length;

/** [B,..] → [B, all the rest]. */
export const flatten = (x: Tensor): Tensor =>
  reshape(x, [x.shape[0], x.shape.slice(1).reduce((product, axis) => product * axis, 1)]);

/** A map of rows [N,I] → [N,O], applied to every field: [B,F,I] → [B,F,O]. */
export const eachField =
  (map: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor => {
    const [batch, fields, inner] = x.shape;
    const y = map(reshape(x, [batch * fields, inner]));
    return reshape(y, [batch, fields, y.shape[1]]);
  };

/** Linear layer `name`, inner → outer: weight xavier_normal, bias 0 as the reference initialises every nn.Linear. */
export function dense(b: Builder, name: string, inner: number, outer: number, { bias = true } = {}) {
  const weight = b.parameter(`${name}.weight`, [outer, inner], xavierNormal());
  const shift = bias ? b.parameter(`${name}.bias`, [outer], zeros) : undefined;
  return (x: Tensor): Tensor => linear(x, weight, shift);
}

/** Batch normalisation `name` over [B,width] (torch.nn.BatchNorm1d). */
export function normalization(b: Builder, name: string, width: number) {
  const weight = b.parameter(`${name}.weight`, [width], ones);
  const bias = b.parameter(`${name}.bias`, [width], zeros);
  const runningMean = b.tape.state(`${name}.running_mean`, [width], zeros);
  const runningVar = b.tape.state(`${name}.running_var`, [width], constant(1));
  return (x: Tensor): Tensor => batchNorm(x, weight, bias, { runningMean, runningVar });
}

/** Activations that the engine has together with dropout, which is then one kernel: (x, p, stream) → dropout(f(x), p, stream). */
const withDropout: ReadonlyMap<(x: Tensor) => Tensor, typeof dropout> = new Map([
  [relu, reluDropout],
  [sigmoid, sigmoidDropout],
]);

export interface MlpOptions {
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly norm?: boolean;
}

/**
 * RecBole's MLPLayers `name`: per layer dropout, linear, batch norm (if any), activation, the last layer included.
 * [B,inner] → [B,width], the last of the sizes.
 */
export function mlp(b: Builder, name: string, inner: number, sizes: readonly number[], options: MlpOptions) {
  const { dropout: p, activation, norm = false } = options;
  const stride = norm ? 4 : 3;
  const maps = sizes.map((outer, i) => {
    const at = 1 + i * stride; // torch numbers every module of the Sequential: dropout comes first
    const map = dense(b, `${name}.mlp_layers.${at}`, i === 0 ? inner : sizes[i - 1], outer);
    const normalize = norm ? normalization(b, `${name}.mlp_layers.${at + 1}`, outer) : (x: Tensor) => x;
    return (x: Tensor) => normalize(map(x));
  });
  // Each activation but the last with the dropout of the layer behind it.
  const between = withDropout.get(activation) ?? ((x, p, stream) => dropout(activation(x), p, stream));
  const forward = (x: Tensor): Tensor => {
    if (maps.length === 0) return x;
    const first = maps[0](dropout(x, p, b.tape.nextStream()));
    return activation(maps.slice(1).reduce((y, map) => map(between(y, p, b.tape.nextStream())), first));
  };
  return Object.assign(forward, { width: sizes.at(-1) ?? inner });
}
