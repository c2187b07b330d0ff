import type { Drop, Parameters } from './model_check.js';
import { affine } from './twins.js';

/** Fields of every row [B,F,A]. */
export type Fields = readonly (readonly (readonly number[])[])[];

/** How attention weights are dropped. */
export interface WeightDropout {
  readonly drop: Drop;
  readonly p: number;
}

/** Weights e^s / Σ e^s. */
export function shares(scores: readonly number[]): number[] {
  const e = scores.map(Math.exp);
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((one) => one / total);
}

/** torch.nn.MultiheadAttention `name` of fields with themselves, one head after another. */
export function attentionOf(
  p: Parameters,
  name: string,
  x: Fields,
  heads: number,
  { drop, p: probability }: WeightDropout,
): number[][][] {
  const [fields, width] = [x[0].length, x[0][0].length];
  const dim = width / heads;
  const padded = 4 * Math.ceil(fields / 4); // the engine draws masks for whole vec4s of fields
  const in_proj = { 'in.weight': p[`${name}.in_proj_weight`], 'in.bias': p[`${name}.in_proj_bias`] };
  const qkv = x.map((row) => row.map((field) => affine(in_proj, 'in', field)));
  const part = (projected: readonly number[], which: number, head: number) =>
    projected.slice(which * width + head * dim, which * width + (head + 1) * dim);
  const weights = qkv.map((row) =>
    Array.from({ length: heads * fields }, (_, n) => {
      const [head, i] = [Math.floor(n / fields), n % fields];
      const query = part(row[i], 0, head);
      const scores = row.map((other) => {
        const key = part(other, 1, head);
        return query.reduce((sum, value, d) => sum + value * key[d], 0) / Math.sqrt(dim);
      });
      return [...shares(scores), ...new Array<number>(padded - fields).fill(0)];
    }).flat(),
  );
  return drop(weights, probability).map((row, b) =>
    qkv[b].map((_, i) => {
      const mixed = Array.from({ length: width }, (_, column) => {
        const head = Math.floor(column / dim);
        const at = (head * fields + i) * padded;
        return qkv[b].reduce((sum, other, j) => sum + row[at + j] * other[2 * width + column], 0);
      });
      return affine(p, `${name}.out_proj`, mixed);
    }),
  );
}
