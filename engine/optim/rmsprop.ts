import type { Optimizer } from './optimizer.js';
import { optimizerOf, smallest, within, type OptimizerOptions } from './rule.js';

export interface RmspropOptions extends OptimizerOptions {
  /** Decay of the mean of squares. */
  readonly alpha?: number;
  readonly eps?: number;
}

/**
 * RMSprop as torch.optim.RMSprop, neither centered nor with momentum (Tieleman and Hinton, Lecture 6.5: Divide the
 * Gradient by a Running Average of Its Recent Magnitude, 2012). Throws RangeError.
 */
export function rmsprop({ alpha = 0.99, eps = 1e-8, weightDecay = 0 }: RmspropOptions = {}): Optimizer {
  within('rmsprop: alpha', alpha, 0, 1);
  within('rmsprop: eps', eps, smallest);
  within('rmsprop: weight decay', weightDecay, 0);
  return optimizerOf({
    name: 'rmsprop',
    slots: ['square_avg'],
    constants: { alpha, rest: 1 - alpha, eps, weight_decay: weightDecay },
    schedule: (_, lr) => [lr, 0, 0, 0],
    // Even without weight decay the mean of squares of a row that no step names decays.
    replay: { shader: 'rmsprop' },
  });
}
