/** Initial values of parameters, distributed as PyTorch's torch.nn.init defines them. */
import { normals, uniforms, type Stream } from './random.js';
import { ShapeError, format, size, type Shape } from './shape.js';

/** Initial values for a tensor of `shape`, in row-major order. */
export type Initializer = (shape: Shape, stream: Stream) => Float32Array;

/** `value` everywhere. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(size(shape)).fill(value);

export const zeros: Initializer = constant(0);
export const ones: Initializer = constant(1);

/** Normally distributed with the given mean and standard deviation. */
export const normal =
  (mean = 0, std = 1): Initializer =>
  (shape, stream) =>
    new Float32Array(normals(stream, size(shape)).map((z) => mean + std * z));

/** Uniformly distributed in [low, high). */
export const uniform =
  (low = 0, high = 1): Initializer =>
  (shape, stream) =>
    uniforms(stream, size(shape)).map((u) => low + (high - low) * u);

/**
 * Number of inputs that one output of a weight has, and of outputs that one input has. As in PyTorch, axis 0 counts the
 * outputs, axis 1 the inputs, and further axes are the receptive field. Throws ShapeError below two axes.
 */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new ShapeError(`fans: shape ${format(shape)} has ${shape.length} axes, but 2 or more are needed`);
  }
  const [outputs, inputs, ...field] = shape;
  return { fanIn: inputs * size(field), fanOut: outputs * size(field) };
}

/** Normal with std = gain·√(2 / (fanIn + fanOut)). Glorot and Bengio, AISTATS 2010, eq. 12 for the normal law. */
export const xavierNormal =
  (gain = 1): Initializer =>
  (shape, stream) => {
    const { fanIn, fanOut } = fans(shape);
    return normal(0, gain * Math.sqrt(2 / (fanIn + fanOut)))(shape, stream);
  };

/** Uniform in ±gain·√(6 / (fanIn + fanOut)). Glorot and Bengio, AISTATS 2010, eq. 16. */
export const xavierUniform =
  (gain = 1): Initializer =>
  (shape, stream) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return uniform(-bound, bound)(shape, stream);
  };

/** Uniform in ±1/√fanIn. A bias has no fan of its own: give it that of its weight. */
export const fanInUniform =
  (fanIn?: number): Initializer =>
  (shape, stream) => {
    const bound = 1 / Math.sqrt(fanIn ?? fans(shape).fanIn);
    return uniform(-bound, bound)(shape, stream);
  };
