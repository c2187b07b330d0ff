import { reachOf } from './missed_steps.js';
import type { Optimizer } from './optimizer.js';
import { optimizerOf, smallest, within, type OptimizerOptions } from './rule.js';

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the first and second moment. */
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /**
   * How tables are trained. 'exact', the default: the steps that a row missed are made one after the other with the
   * arithmetic of the dense kernel, to its last bit. 'fast': a table of which a step names a good part is walked over as a
   * whole, to the same bits; of others all steps that a row missed are made at once by their sum, as exact but for
   * rounding and at a cost that does not grow with their number (missed_steps.ts). Weight decay, and decays that let a
   * row move for hundreds of steps, are made one by one there too.
   */
  readonly tables?: 'exact' | 'fast';
}

/** rate = lr / (1 − β₁ᵗ) and correction = 1 / √(1 − β₂ᵗ), in f64: f32 would lose digits of 1 − β₂ᵗ in the first steps. */
export const biasCorrections = (beta1: number, beta2: number, step: number, lr: number) =>
  [lr / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)] as const;

/**
 * Adam as torch.optim.Adam (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, with ε outside the root).
 * On tables it is the same dense Adam at the cost of the rows that a step names: the steps that a row misses, in which
 * its momentum goes on moving it, are replayed when it is next named (see adam_replay.wgsl and adam_series.wgsl). Throws
 * RangeError.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, tables = 'exact' } = options;
  const [beta1, beta2] = betas;
  within('adam: beta1', beta1, 0, 1);
  within('adam: beta2', beta2, 0, 1);
  within('adam: eps', eps, smallest);
  within('adam: weight decay', weightDecay, 0);
  const decay = Math.sqrt(beta2) / beta1;
  const decays = { beta1, beta2, eps };
  const reach = tables === 'fast' && weightDecay === 0 ? reachOf(decays) : undefined;
  return optimizerOf({
    name: 'adam',
    slots: ['exp_avg', 'exp_avg_sq'],
    constants: { beta1, beta2, rest1: 1 - beta1, rest2: 1 - beta2, eps, weight_decay: weightDecay },
    schedule: (step, lr) => [...biasCorrections(beta1, beta2, step, lr), 0, 0],
    fused: 'adam_fused',
    walk: tables === 'fast',
    replay:
      reach === undefined
        ? // A ratio that does not shrink is never negligible: 1e9 steps are more than a schedule holds.
          { shader: 'adam_replay', constants: { fading: decay > 1 ? 1 / Math.log2(decay) : 1e9 } }
        : { shader: 'adam_series', constants: { ...decays }, missedSteps: { decays, reach } },
  });
}
