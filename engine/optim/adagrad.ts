import type { Optimizer } from './optimizer.js';
import { optimizerOf, smallest, within, type OptimizerOptions } from './rule.js';

export interface AdagradOptions extends OptimizerOptions {
  readonly eps?: number;
  /** The t-th step has the learning rate lr / (1 + (t − 1) · lrDecay). */
  readonly lrDecay?: number;
}

/**
 * Adagrad as torch.optim.Adagrad (Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and
 * Stochastic Optimization, 2011), its accumulator zero at first. Throws RangeError.
 */
export function adagrad({ eps = 1e-10, lrDecay = 0, weightDecay = 0 }: AdagradOptions = {}): Optimizer {
  within('adagrad: eps', eps, smallest);
  within('adagrad: lr decay', lrDecay, 0);
  within('adagrad: weight decay', weightDecay, 0);
  return optimizerOf({
    name: 'adagrad',
    slots: ['sum'],
    constants: { eps, weight_decay: weightDecay },
    schedule: (step, lr) => [lr / (1 + (step - 1) * lrDecay), 0, 0, 0],
    // Without weight decay a row that no step names rests.
    replay: weightDecay === 0 ? undefined : { shader: 'adagrad' },
  });
}
