export { adam, type AdamOptions } from './adam.js';
export type { DenseUpdate, Optimizer, RowsGradientUpdate, RowsUpdate, UpdateContext } from './optimizer.js';
