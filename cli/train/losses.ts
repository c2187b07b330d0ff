import type { TrainConfig } from '../config/train_config.js';
import type { StepLosses } from '../runner.js';
import type { LossSums, RunState } from './state.js';

/** The state after further steps of an epoch. */
export function advanced(state: RunState, { last, parts }: StepLosses): RunState {
  const sums = Object.entries(parts).map(([name, values]) => {
    const before = state.losses[name] ?? 0;
    return [name, values.reduce((sum, value) => sum + value, before)] as const;
  });
  return { ...state, step: state.step + last - state.done, done: last, losses: Object.fromEntries(sums) };
}

/**
 * What is printed of an epoch's losses, as the paper's code does: their sum over the batches, and with
 * classes the two weighted parts, label loss with penalty and rating loss.
 */
export function shownLosses(
  { loss = 0, label = 0, rating = 0, penalty = 0 }: LossSums,
  { multi_cls, multi_ratio }: Pick<TrainConfig, 'multi_cls' | 'multi_ratio'>,
): number | readonly number[] {
  if (multi_cls === null) return loss;
  const ratio = multi_ratio ?? 0.5;
  return [(1 - ratio) * (label + penalty), ratio * rating];
}
