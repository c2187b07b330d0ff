export type {
  DenseUpdate,
  FlushUpdate,
  Optimizer,
  RowsGradientUpdate,
  RowsUpdate,
  UpdateContext,
} from './optimizer.js';
