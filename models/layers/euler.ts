import {
  add,
  complexExp,
  complexLog,
  concat,
  dropout,
  layerNorm,
  linear,
  mul,
  normal,
  normals,
  ones,
  relu,
  reshape,
  size,
  transpose,
  zeros,
  type Initializer,
  type Tensor,
} from '../../engine/index.js';
import type { Builder } from '../model.js';

/** w [n,1], or [width], repeated to [n · width]. */
export function repeated(w: Tensor, n: number, width: number): Tensor {
  const all = w.tape.constant('ones', [n, width], new Float32Array(n * width).fill(1));
  return reshape(mul(all, w), [n * width]);
}

/** Linear layer `name` whose weights have the standard deviation `std`, and biases 0. */
export function gaussianDense(b: Builder, name: string, inner: number, outer: number, std: number) {
  const weight = b.parameter(`${name}.weight`, [outer, inner], normal(0, std));
  const bias = b.parameter(`${name}.bias`, [outer], zeros);
  return (x: Tensor): Tensor => linear(x, weight, bias);
}

/** Softmax over axis 0 of normal numbers / 0.01: almost one-hot columns. */
const almostOneHot: Initializer = (shape, stream) => {
  const [, cols] = shape;
  const z = normals(stream, size(shape)).map((value) => value / 0.01);
  const columnOf = (c: number) => z.filter((_, i) => i % cols === c);
  const shifts = Array.from({ length: cols }, (_, c) => {
    const largest = Math.max(...columnOf(c));
    return largest + Math.log(columnOf(c).reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
  return Float32Array.from(z, (value, i) => Math.exp(value - shifts[i % cols]));
};

/** Layer norm of every order, with gain and bias of each part; these are parameters whether applied or not. */
function norms(b: Builder, name: string, orders: number) {
  const dim = b.embeddingSize;
  const parts = ['norm_r', 'norm_p'].map((part) => ({
    gain: b.parameter(`${name}.${part}.weight`, [dim], ones),
    bias: b.parameter(`${name}.${part}.bias`, [dim], zeros),
  }));
  const row = (all: readonly Tensor[]) => {
    const rows = all.map((w) => repeated(w, orders, dim));
    return concat(rows, 0); // [2·O·D]
  };
  return (z: Tensor): Tensor => {
    const x = reshape(layerNorm(z), [z.shape[0], 2 * orders * dim]);
    const scaled = mul(x, row(parts.map(({ gain }) => gain)));
    return reshape(add(scaled, row(parts.map(({ bias }) => bias))), z.shape);
  };
}

export interface EulerOptions {
  /** Dropout of logarithms and angles, and of what enters the linear layer. */
  readonly explicitDropout: number;
  readonly implicitDropout: number;
  readonly norm: boolean;
}

/**
 * Euler interaction layer `name`: complex features z [B,2,F,D] → [B,2,O,D], products of the fields to learned powers α
 * beside a linear layer over each part, Norm(exp(α · ln z + bias) + ReLU(W · z)). Tian et al. 2023, eq. 8-14.
 */
export function eulerLayer(b: Builder, name: string, fields: number, orders: number, options: EulerOptions) {
  const dim = b.embeddingSize;
  const powers = b.parameter(`${name}.inter_orders`, [fields, orders], almostOneHot);
  const biases = ['bias_lam', 'bias_theta'].map((bias) =>
    b.parameter(`${name}.${bias}`, [1, dim, orders], normal(0, 0.01)),
  );
  const implicit = gaussianDense(b, `${name}.im`, fields * dim, orders * dim, 0.1);
  const normalize = norms(b, name, orders);
  const { explicitDropout, implicitDropout, norm } = options;

  const mix = (logs: Tensor): Tensor => {
    const [batch] = logs.shape;
    const columns = transpose(reshape(logs, [2 * batch, fields, dim])); // [2B,D,F]
    const mixed = linear(reshape(columns, [2 * batch * dim, fields]), transpose(powers)); // [2B·D,O]
    const shift = concat(
      biases.map((bias) => reshape(bias, [dim * orders])),
      0,
    );
    const shifted = add(reshape(mixed, [batch, 2 * dim * orders]), shift);
    return reshape(transpose(reshape(shifted, [2 * batch, dim, orders])), [batch, 2, orders, dim]);
  };

  return (z: Tensor): Tensor => {
    const [batch] = z.shape;
    const products = complexExp(mix(dropout(complexLog(z), explicitDropout))); // [B,2,O,D]
    const x = reshape(dropout(z, implicitDropout), [2 * batch, fields * dim]);
    const sum = add(products, reshape(relu(implicit(x)), products.shape));
    return norm ? normalize(sum) : sum;
  };
}
