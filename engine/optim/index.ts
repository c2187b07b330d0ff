export { adagrad, type AdagradOptions } from './adagrad.js';
export { adam, type AdamOptions } from './adam.js';
export type {
  DenseUpdate,
  Optimizer,
  RowsGradientUpdate,
  RowsSourceUpdate,
  RowsUpdate,
  UpdateContext,
} from './optimizer.js';
export { optimizers, type OptimizerName } from './optimizers.js';
export { rmsprop, type RmspropOptions } from './rmsprop.js';
export type { OptimizerOptions } from './rule.js';
export { constantLr, cosineLr, exponentialLr, stepLr, type LrSchedule } from './schedule.js';
export { sgd } from './sgd.js';
export { sparseAdam } from './sparse_adam.js';
