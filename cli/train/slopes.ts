import type { Slopes } from '../runner/probe.js';

/** More classes than rating scales have; of more logits, the slope of each takes too long. */
export const mostLogits = 64;

/** How steep a model's logits z and class probabilities p = softmax(z) are at some rows, in the input embeddings e. */
export interface Steepness {
  /** L_f: the largest of ‖∂z/∂e‖₂, the spectral norm of the Jacobian [N, F·D]. */
  readonly logits: number;
  /** L_p: the largest of ‖∂p/∂e‖₂. */
  readonly probabilities: number;
  /** Share of the rows at which ‖∂p/∂e‖₂ <= ‖∂z/∂e‖₂ / √N. */
  readonly within: number;
}

/** The largest eigenvalue of a symmetric matrix [n,n] without negative ones, by repeated multiplication. */
export function largestEigenvalue(matrix: Float64Array, n: number): number {
  // Begins with the longest column, which the largest eigenvector cannot be orthogonal to unless it is not the largest.
  const column = (k: number) => Float64Array.from({ length: n }, (_, i) => matrix[i * n + k]);
  const length = (v: Float64Array) => Math.hypot(...v);
  const columns = Array.from({ length: n }, (_, k) => column(k));
  let v = columns.reduce((a, b) => (length(b) > length(a) ? b : a));
  let value = 0;
  for (let i = 0; i < 1000; i++) {
    const size = length(v);
    if (size === 0) return 0;
    const unit = v.map((x) => x / size);
    v = unit.map((_, row) => unit.reduce((sum, x, k) => sum + matrix[row * n + k] * x, 0));
    const next = unit.reduce((sum, x, k) => sum + x * v[k], 0);
    if (Math.abs(next - value) <= 1e-13 * next) return next;
    value = next;
  }
  return value;
}

/** S·G·Sᵀ of two matrices [n,n], S symmetric. */
function between(s: Float64Array, g: Float64Array, n: number): Float64Array {
  const times = (a: Float64Array, b: Float64Array) =>
    a.map((_, at) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[Math.floor(at / n) * n + k] * b[k * n + (at % n)];
      return sum;
    });
  return times(times(s, g), s);
}

/** ∂p/∂z [n,n] of p = softmax(z); of one logit p(1 − p), the derivative of its sigmoid. */
function softmaxSlope(z: Float32Array): Float64Array {
  const n = z.length;
  const largest = z.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Float64Array.from(z, (value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  if (n === 1) {
    const p = 1 / (1 + Math.exp(-z[0]));
    return Float64Array.of(p * (1 - p));
  }
  const p = powers.map((power) => power / total);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return (i === j ? p[i] : 0) - p[i] * p[j];
  });
}

/** The steepness at rows whose logits were probed. */
export function steepnessOf({ outputs: n, values, gram }: Slopes): Steepness {
  const rows = values.length / n;
  let [logits, probabilities, within] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const g = gram.subarray(row * n * n, (row + 1) * n * n);
    const slope = softmaxSlope(values.subarray(row * n, (row + 1) * n));
    const ofLogits = Math.sqrt(largestEigenvalue(g, n));
    const ofProbabilities = Math.sqrt(largestEigenvalue(between(slope, g, n), n));
    logits = Math.max(logits, ofLogits);
    probabilities = Math.max(probabilities, ofProbabilities);
    if (ofProbabilities <= ofLogits / Math.sqrt(n)) within++;
  }
  return { logits, probabilities, within: within / rows };
}
