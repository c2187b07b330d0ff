import type { Drop, Parameters, TinyRow } from './model_check.js';

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

/** Pairwise products of a row's fields, one number a class; p_k of `pair_layer.weight` is all ones with one class. */
export function pairsOf(p: Parameters, e: readonly (readonly number[])[], classes: number): number[] {
  const dim = e[0].length;
  return Array.from({ length: classes }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < e.length; i++) {
      for (let j = i + 1; j < e.length; j++) {
        for (let d = 0; d < dim; d++)
          sum += (classes === 1 ? 1 : p['pair_layer.weight'][k * dim + d]) * e[i][d] * e[j][d];
      }
    }
    return sum;
  });
}

/** Pair products of a row, pooled [D], as logits: their sum, or with several classes that weighted by `pair_layer.weight`. */
export const summed = (p: Parameters, pooled: readonly number[], classes: number): number[] =>
  Array.from({ length: classes }, (_, k) =>
    pooled.reduce(
      (sum, x, d) => sum + (classes === 1 ? x : x * p['pair_layer.weight'][k * pooled.length + d]),
      0,
    ),
  );

/** Rows of numbers [B,N]. */
export type Rows = readonly (readonly number[])[];

/** Linear layer `name` of a row: x·wᵀ + b, b 0 where there is none. */
export function affine(p: Parameters, name: string, x: readonly number[]): number[] {
  const weight = p[`${name}.weight`];
  return Array.from({ length: weight.length / x.length }, (_, o) =>
    x.reduce((sum, value, i) => sum + value * weight[o * x.length + i], p[`${name}.bias`]?.[o] ?? 0),
  );
}

/** Batch norm `name` of columns in training: the batch's mean and biased variance. */
export function normalized(p: Parameters, name: string, x: Rows): number[][] {
  const moments = x[0].map((_, c) => {
    const mean = x.reduce((sum, row) => sum + row[c], 0) / x.length;
    return { mean, variance: x.reduce((sum, row) => sum + (row[c] - mean) ** 2, 0) / x.length };
  });
  const [weight, bias] = [p[`${name}.weight`], p[`${name}.bias`]];
  return x.map((row) =>
    row.map(
      (value, c) => ((value - moments[c].mean) / Math.sqrt(moments[c].variance + 1e-5)) * weight[c] + bias[c],
    ),
  );
}

export interface MlpTwin {
  readonly layers: number;
  readonly activation: (z: number) => number;
  readonly norm?: boolean;
  readonly dropout?: { readonly drop: Drop; readonly p: number };
}

/** RecBole's MLPLayers `name`: dropout, linear, batch norm, activation in every layer. */
export function mlpOf(p: Parameters, name: string, x: Rows, options: MlpTwin): number[][] {
  const { layers, activation, norm = false, dropout } = options;
  let y: Rows = x;
  for (let layer = 0; layer < layers; layer++) {
    const at = 1 + layer * (norm ? 4 : 3);
    const dropped = dropout === undefined ? y : dropout.drop(y, dropout.p);
    const mapped = dropped.map((row) => affine(p, `${name}.mlp_layers.${at}`, row));
    const shifted = norm ? normalized(p, `${name}.mlp_layers.${at + 1}`, mapped) : mapped;
    y = shifted.map((row) => row.map(activation));
  }
  return y.map((row) => [...row]);
}

export const relu = (z: number): number => Math.max(z, 0);
export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** ‖w‖₂ of the parameters whose names match, summed. */
export const normsOf = (p: Parameters, names: RegExp): number =>
  Object.entries(p).reduce((sum, [name, w]) => (names.test(name) ? sum + Math.hypot(...w) : sum), 0);
