import { testLr, type Twin } from './training.js';

/** Adam as the paper has it, in f64, with the usual decays. */
export function adamTwin(
  initial: Float32Array,
  weightDecay = 0,
  lr: (step: number) => number = () => testLr,
): Twin {
  const p = Float64Array.from(initial);
  const [m, v] = [new Float64Array(p.length), new Float64Array(p.length)];
  return {
    p,
    update(i, gradient, t) {
      const g = gradient + weightDecay * p[i];
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g ** 2;
      p[i] -= (lr(t) * (m[i] / (1 - 0.9 ** t))) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    },
  };
}
