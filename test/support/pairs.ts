/** Products of all pairs of fields of e [B,F,D], unsummed over D: the pairwise double loop. */
export function pooled(e: Float64Array, [batch, fields, dim]: readonly number[]): Float64Array {
  const y = new Float64Array(batch * dim);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < fields; i++) {
      for (let j = i + 1; j < fields; j++) {
        for (let d = 0; d < dim; d++) {
          y[b * dim + d] += e[(b * fields + i) * dim + d] * e[(b * fields + j) * dim + d];
        }
      }
    }
  }
  return y;
}

/** The same, summed over D. */
export function summed(e: Float64Array, shape: readonly number[]): Float64Array {
  const [batch, , dim] = shape;
  const all = pooled(e, shape);
  return Float64Array.from({ length: batch }, (_, b) =>
    all.slice(b * dim, (b + 1) * dim).reduce((a, v) => a + v, 0),
  );
}
