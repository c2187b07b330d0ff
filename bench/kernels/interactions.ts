import {
  cin,
  crossVector,
  fieldAwarePairs,
  fmPairs,
  fmPooled,
  pairForms,
  pairProducts,
  type Shape,
} from '../../engine/index.js';
import type { KernelCase } from '../launch.js';
import { bothOf, type CaseSizes, type OpCase } from './op_case.js';

/** Σ of pairs of fields in different ways: FM, FFM, PNN and what attention over pairs reads. */
function pairCases({ batch, fields, dim }: CaseSizes): OpCase[] {
  const e = [batch, fields, dim];
  const sums = [batch, dim];
  const pairs = (fields * (fields - 1)) / 2;
  const form = batch * pairs * dim;
  return [
    { name: 'fm_pairs', inputs: { e }, keeps: [sums], build: ({ e }) => fmPairs(e) },
    { name: 'fm_pooled', inputs: { e }, keeps: [sums], build: ({ e }) => fmPooled(e) },
    {
      name: 'field_aware_pairs',
      inputs: { v: [batch, fields, fields, dim] },
      // The embedding of a feature for its own field is in no pair; its gradient is written, as 0.
      reads: [[batch, fields, fields - 1, dim]],
      build: ({ v }) => fieldAwarePairs(v),
    },
    { name: 'pair_products', inputs: { e }, build: ({ e }) => pairProducts(e) },
    {
      name: 'pair_forms',
      inputs: { e, k: [dim, pairs, dim] },
      // k·p and its product with q; both gradients of e, and that of k from dy·q
      flops: [form * (2 * dim + 2), form * (6 * dim + 5)],
      build: ({ e, k }) => pairForms(e, k),
    },
  ];
}

/** The first layer of a CIN, and one behind it, which reads half of what the layer before gives. */
function cinCases({ batch, fields, dim, channels }: CaseSizes): OpCase[] {
  const e = [batch, fields, dim];
  const layer = (x: Shape, hidden: number): OpCase => {
    const inner = hidden * fields;
    const products = batch * dim * inner;
    const outputs = batch * dim * channels;
    return {
      name: 'cin',
      inputs: { x, e, w: [channels, inner, 1], b: [channels] },
      // Sums over channels, times a field each; gradients of products, of both factors, and of w from the products.
      flops: [2 * outputs * (inner + fields), products * (5 + 4 * channels) + outputs],
      build: ({ x, e, w, b }) => cin(x, e, w, b),
    };
  };
  return [layer(e, fields), layer([batch, channels, dim], Math.ceil(channels / 2))];
}

function crossCase({ batch, fields, dim }: CaseSizes): OpCase {
  const cols = fields * dim;
  const x = [batch, cols];
  return {
    name: 'cross_vector',
    inputs: { a: x, x, w: [cols], b: [cols] },
    keeps: [[batch]],
    flops: [5 * batch * cols, 8 * batch * cols],
    build: ({ a, x, w, b }) => crossVector(a, x, w, b),
  };
}

/** Ops between fields. */
export const interactionCases = (sizes: CaseSizes): KernelCase[] =>
  [...pairCases(sizes), ...cinCases(sizes), crossCase(sizes)].flatMap(bothOf);
