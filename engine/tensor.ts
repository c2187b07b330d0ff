import type { Shape } from './shape.js';
import type { Tape } from './tape.js';

export type Dtype = 'f32' | 'u32';

/**
 * Where a tensor's data lives: `activation` in the plan's memory for part of a step; `parameter` (trained), `state`
 * (kept but not trained, such as running statistics), `slot` (kept by an optimizer), `input` (written from outside)
 * and `constant` in buffers that outlive it.
 */
export type TensorKind = 'activation' | 'parameter' | 'state' | 'slot' | 'input' | 'constant';

/** A symbolic tensor: a name and a shape on a tape. It holds no data; the plan gives it a place. */
export interface Tensor {
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly kind: TensorKind;
  readonly needsGrad: boolean;
  readonly tape: Tape;
  /** The tensor whose memory this one shares (reshape). */
  readonly alias?: Tensor;
}

/** The tensor that owns the memory of `t`. */
export function owner(t: Tensor): Tensor {
  return t.alias === undefined ? t : owner(t.alias);
}
