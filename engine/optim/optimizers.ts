import { adagrad } from './adagrad.js';
import { adam } from './adam.js';
import type { Optimizer } from './optimizer.js';
import { rmsprop } from './rmsprop.js';
import type { OptimizerOptions } from './rule.js';
import { sgd } from './sgd.js';
import { sparseAdam } from './sparse_adam.js';

/** Optimizers under the names of RecBole's option `learner`; adam as it trains tables fastest. */
export const optimizers = {
  adam: (options?: OptimizerOptions) => adam({ ...options, tables: 'fast' }),
  sgd,
  adagrad,
  rmsprop,
  sparse_adam: sparseAdam,
} satisfies Readonly<Record<string, (options?: OptimizerOptions) => Optimizer>>;

export type OptimizerName = keyof typeof optimizers;
