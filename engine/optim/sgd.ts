import type { Optimizer } from './optimizer.js';
import { optimizerOf, within, type OptimizerOptions } from './rule.js';

/** Stochastic gradient descent as torch.optim.SGD without momentum. Throws RangeError. */
export function sgd({ weightDecay = 0 }: OptimizerOptions = {}): Optimizer {
  within('sgd: weight decay', weightDecay, 0);
  return optimizerOf({
    name: 'sgd',
    slots: [],
    constants: { weight_decay: weightDecay },
    schedule: (_, lr) => [lr, 0, 0, 0],
    // Without weight decay a row that no step names rests.
    replay: weightDecay === 0 ? undefined : { shader: 'sgd' },
  });
}
