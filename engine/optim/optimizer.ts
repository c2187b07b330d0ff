import type { Launch } from '../tape.js';
import type { Tensor } from '../tensor.js';
import type { Decays, MissedStepsLayout } from './missed_steps.js';

/** What every update sees. Kernels do nothing while `state.halted` is set and scale gradients by `state.clip`. */
export interface UpdateContext {
  /** The parameter. */
  readonly p: Tensor;
  /** `struct State`: see step.ts. */
  readonly state: Tensor;
  /** A tensor of the parameter's shape that is kept beside it (zero at first), such as a moment. */
  slot(name: string): Tensor;
  /** Launches entries of a file in shaders/. */
  launch(shader: string): Launch;
}

/** Update of a parameter [..] from its gradient `g` of the same shape. */
export interface DenseUpdate extends UpdateContext {
  readonly g: Tensor;
}

/** Work on the rows of a table [V,D] that the step names, or on all of them. */
export interface RowsUpdate extends UpdateContext {
  /** The step's groups: see segments.ts. Row i of the block is `segments[base + 4 + 4 · i]`, base = cursor · stride. */
  readonly segments: Tensor;
  readonly stride: number;
  readonly maxRows: number;
}

/** The same where rows change that no step names. */
export interface RowsReplay extends RowsUpdate {
  /**
   * [V] u32: the steps that are in each row, the one at hand, which will update the rows it names, included. The flush
   * of a halted plan counts it back.
   */
  readonly last: Tensor;
  /** Sums over missed steps, for an optimizer that wants them. */
  readonly missed?: MissedTables;
}

/** The tables of missed_steps.ts on the device, [length,4]. */
export interface MissedTables {
  readonly sums: Tensor;
  readonly layout: MissedStepsLayout;
}

/** Update of the rows that the step names, from their gradients `g` [maxRows,D]. */
export interface RowsGradientUpdate extends RowsUpdate {
  readonly g: Tensor;
}

/** Update of the rows that the step names from what their gradients are summed from. */
export interface RowsSourceUpdate extends RowsUpdate {
  /** [..,D]: its rows are the sources of the step's groups. */
  readonly source: Tensor;
  /** [maxPieces,D]: sums of the pieces of long groups. */
  readonly partials: Tensor;
  readonly maxPieces: number;
  /** How kernels find the row of `source` that a source means: numbers of dims. */
  readonly sourceDims: Readonly<Record<string, number>>;
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
  /** What `rows` does, without a gradient in between. */
  fusedRows?(update: RowsSourceUpdate): void;
  /** `dense` for a table of which the step names a good part; leaves the gradient zero, for the next step to write into. */
  walk?(update: DenseUpdate): void;
  catchUp?(update: RowsReplay): void;
  flush?(update: RowsReplay): void;
  /** Of an optimizer whose catchUp and flush read sums over missed steps: what they are made of. */
  readonly missedSteps?: { readonly decays: Decays; readonly reach: number };
}
