import type { Launch } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** What every update sees. Kernels do nothing while `state.halted` is set and scale gradients by `state.clip`. */
export interface UpdateContext {
  /** The parameter. */
  readonly p: Tensor;
  /** `struct State`: see step.ts. */
  readonly state: Tensor;
  /** A tensor of the parameter's shape that is kept beside it (zero at first), such as a moment. */
  slot(name: string): Tensor;
  readonly run: Launch;
}

/** Update of a parameter [..] from its gradient `g` of the same shape. */
export interface DenseUpdate extends UpdateContext {
  readonly g: Tensor;
}

/** Work on rows of a table [V,D]. */
export interface RowsUpdate extends UpdateContext {
  /** u32 [V]: steps that are already in the row. */
  readonly last: Tensor;
  /** The step's groups: see segments.ts. Row i of the block is `segments[base + 4 + 4 · i]`, base = cursor · stride. */
  readonly segments: Tensor;
  readonly stride: number;
  readonly maxRows: number;
}

/** Update of the rows that the step named, from their gradients `g` [maxRows,D]. */
export interface RowsGradientUpdate extends RowsUpdate {
  readonly g: Tensor;
}

/** Work on all rows of a table. */
export interface FlushUpdate extends UpdateContext {
  readonly last: Tensor;
}

/**
 * An update rule. `rows` must give what `dense` would give with a gradient that is zero in the other rows; where an
 * untouched row moves all the same (momentum, weight decay), `catchUp` replays that for the rows of a step before they
 * are read, and `flush` for all rows before evaluation.
 */
export interface Optimizer {
  readonly name: string;
  /** What kernels find at `state.schedule[(step - 1) % capacity]` for the step-th update, counted from 1. */
  schedule(step: number, lr: number): readonly [number, number, number, number];
  dense(update: DenseUpdate): void;
  rows(update: RowsGradientUpdate): void;
  catchUp?(update: RowsUpdate): void;
  flush?(update: FlushUpdate): void;
}
