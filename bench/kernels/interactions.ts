import {
  cin,
  crossVector,
  fieldAwarePairs,
  fmPairs,
  fmPooled,
  pairForms,
  pairProducts,
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

function cinCase({ batch, fields, dim, channels }: CaseSizes): OpCase {
  const e = [batch, fields, dim];
  const inner = fields * fields;
  const products = batch * dim * inner;
  return {
    name: 'cin',
    inputs: { x: e, e, w: [channels, inner, 1], b: [channels] },
    // Products of fields and their sum; gradients of products, of both factors, and of w from the products again.
    flops: [products * (1 + 2 * channels), products * (5 + 4 * channels) + batch * dim * channels],
    build: ({ x, e, w, b }) => cin(x, e, w, b),
  };
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
  [...pairCases(sizes), cinCase(sizes), crossCase(sizes)].flatMap(bothOf);
