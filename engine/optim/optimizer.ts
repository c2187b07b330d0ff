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

/** Work on the rows of a table [V,D] that the step names, or on all of them. */
export interface RowsUpdate extends UpdateContext {
  /**
   * Steps that are already in each row: u32, one number for every vec4 of a row, or for every float where rows are not
   * whole vec4s, so that the invocation that owns a piece of a row alone reads and writes its number.
   */
  readonly last: Tensor;
  /** The step's groups: see segments.ts. Row i of the block is `segments[base + 4 + 4 · i]`, base = cursor · stride. */
  readonly segments: Tensor;
  readonly stride: number;
  readonly maxRows: number;
}

/** Update of the rows that the step names, from their gradients `g` [maxRows,D]. */
export interface RowsGradientUpdate extends RowsUpdate {
  readonly g: Tensor;
}

/**
 * An update rule. `rows` must give what `dense` would give with a gradient that is zero in the other rows; where an
 * untouched row moves all the same (momentum, weight decay), `catchUp` replays that for the rows of a step before they
 * are read, and `flush` for all rows before evaluation.
 */
export interface Optimizer {
  readonly name: string;
  /** Base name of the file in shaders/ with the kernel of `catchUp` and `flush`; the others are in `name`. */
  readonly replayShader?: string;
  /** What kernels find at `state.schedule[(step - 1) % capacity]` for the step-th update, counted from 1. */
  schedule(step: number, lr: number): readonly [number, number, number, number];
  dense(update: DenseUpdate): void;
  rows(update: RowsGradientUpdate): void;
  catchUp?(update: RowsUpdate): void;
  flush?(update: RowsUpdate): void;
}
