import { biasCorrections, type AdamOptions } from './adam.js';
import type { Optimizer } from './optimizer.js';
import { optimizerOf, smallest, within } from './rule.js';

/**
 * Adam on tables as torch.optim.SparseAdam: rows that the step does not name rest, moments and all, while the step
 * number in the bias corrections counts every step; ε stands beside the uncorrected root. That is not dense Adam (see
 * adam.ts). Parameters that are no tables get plain Adam. Throws RangeError, also for any weight decay.
 */
export function sparseAdam({
  betas = [0.9, 0.999],
  eps = 1e-8,
  weightDecay = 0,
}: AdamOptions = {}): Optimizer {
  const [beta1, beta2] = betas;
  within('sparse_adam: beta1', beta1, 0, 1);
  within('sparse_adam: beta2', beta2, 0, 1);
  within('sparse_adam: eps', eps, smallest);
  if (weightDecay !== 0) {
    throw new RangeError(
      `sparse_adam: weight decay is ${weightDecay}, but would not reach rows that rest; use 0, or adam`,
    );
  }
  return optimizerOf({
    name: 'sparse_adam',
    slots: ['exp_avg', 'exp_avg_sq'],
    constants: { beta1, beta2, rest1: 1 - beta1, rest2: 1 - beta2, eps },
    schedule(step, lr) {
      const [rate, correction] = biasCorrections(beta1, beta2, step, lr);
      return [rate, correction, rate / correction, 0];
    },
  });
}
