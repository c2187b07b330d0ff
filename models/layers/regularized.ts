import type { Tensor } from '../../engine/index.js';
import type { Builder } from '../model.js';

/** A builder whose parameters are regularised by `weight` if their names match: all of them, or those given. */
export function regularized(b: Builder, weight: number, names = /(?:)/): Builder {
  const penalize = (name: string, w: Tensor) => {
    if (names.test(name)) b.regularize(w, weight);
    return w;
  };
  return {
    ...b,
    parameter: (name, shape, init) => penalize(name, b.parameter(name, shape, init)),
    table: (name, rows, dim) => penalize(name, b.table(name, rows, dim)),
  };
}
