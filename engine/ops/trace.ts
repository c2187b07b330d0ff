import type { Shape } from '../shape.js';
import type { Run } from '../tape.js';
import type { Tensor } from '../tensor.js';

/** One application of an op that defineOp cannot express. */
export interface Traced {
  readonly op: string;
  /** Base name of the file in shaders/, if it is not the op's name. */
  readonly shader?: string;
  /** Of one tape; at least one. */
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  forward(y: Tensor, run: Run): void;
  /**
   * The gradient of input `i`: a tensor written here, or `dy` itself or a view of it. Called where it is
   * needed.
   */
  backward(i: number, dy: Tensor, run: Run): Tensor;
}

/**
 * Traces an op with any number of inputs, or one whose gradient is `dy` itself and needs no kernel; all
 * others are defined with defineOp.
 */
export function trace({ op, shader = op, inputs, shape, forward, backward }: Traced): Tensor {
  const { tape } = inputs[0];
  const y = tape.activation(
    op,
    shape,
    'f32',
    inputs.some((x) => x.needsGrad),
  );
  const noRows = () => {
    throw new Error(`${op}: forward has no row gradients`);
  };
  forward(y, tape.runner(op, shader, tape.forward, noRows, [y]));
  tape.record({
    op,
    shader,
    inputs,
    output: y,
    backward: (dy, run) => inputs.map((x, i) => (x.needsGrad ? backward(i, dy, run) : undefined)),
  });
  return y;
}
