import type { BatchOrderState } from '../../data/dataset.js';
import type { StoppingState } from '../early_stopping.js';

/** Values of metrics by name, rounded as they are compared. */
export type Metrics = Readonly<Record<string, number>>;

/** Sums over the steps of an epoch, by part of the loss; 'loss' is what is differentiated. */
export type LossSums = Readonly<Record<string, number>>;

/** What came of an epoch. */
export interface EpochRecord {
  readonly epoch: number;
  readonly losses: LossSums;
  /** Null where it was not evaluated. */
  readonly valid: Metrics | null;
}

/** Where a run stands: everything but its tensors. Plain data, for checkpoints. */
export interface RunState {
  /** Epochs that are trained, evaluated and judged. */
  readonly epoch: number;
  /** Steps of the epoch after them that are trained, and the sums of their losses. */
  readonly done: number;
  readonly losses: LossSums;
  /** Steps of all epochs. */
  readonly step: number;
  /** The order of rows, before the epoch under way is drawn. */
  readonly order: BatchOrderState;
  readonly stopping: StoppingState;
  /** Metrics of the best epoch on the valid part; null before the first. */
  readonly best: Metrics | null;
  readonly history: readonly EpochRecord[];
}
