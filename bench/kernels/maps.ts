import {
  attention,
  bmm,
  edgeSoftmax,
  fieldLinear,
  gruCell,
  linear,
  type Store,
  type Tape,
} from '../../engine/index.js';
import type { KernelCase } from '../launch.js';
import { backwardOf, floatBytes, forwardOf, numbers } from '../record.js';
import { productRoof } from '../roofs.js';
import { bothOf, type CaseSizes, type OpCase } from './op_case.js';

/** The linear map and its gradients, each with all that it needs. */
function linearCases({ batch, maps }: CaseSizes): KernelCase[] {
  return maps.flatMap(([inner, outer]) => {
    const shapes = { x: [batch, inner], w: [outer, inner], b: [outer], seed: [batch, outer] };
    const build =
      (...wanted: readonly string[]) =>
      (tape: Tape) => {
        const one = (name: 'x' | 'w' | 'b') =>
          wanted.includes(name) ? tape.variable(name, shapes[name]) : tape.input(name, shapes[name]);
        return linear(one('x'), one('w'), one('b'));
      };
    const product = {
      shape: `[${batch},${inner}] × [${outer},${inner}]`,
      bytes: floatBytes([batch, inner], [outer, inner], [batch, outer]),
      flops: 2 * batch * inner * outer,
      roof: productRoof,
      feed(store: Store) {
        for (const [name, shape] of Object.entries(shapes))
          if (store.has(name)) store.write(name, numbers(shape));
      },
    };
    return [
      { ...product, name: 'linear', record: forwardOf(build()) },
      { ...product, name: 'linear, dx', record: backwardOf(build('x')) },
      { ...product, name: 'linear, dw and db', record: backwardOf(build('w', 'b')) },
    ];
  });
}

/** What graphs and attention do among the fields of a row; with widths of an embedding. */
function fieldCases({ batch, fields, dim, heads }: CaseSizes): OpCase[] {
  const h = [batch, fields, dim];
  const graph = [batch, fields, fields];
  const state = [batch * fields, dim];
  const gates = [batch * fields, 3 * dim];
  const attended = batch * fields * fields * dim;
  return [
    {
      name: 'attention',
      inputs: { qkv: [batch, fields, 3 * dim] },
      keeps: [[batch, heads, fields, fields]],
      // Scores and mixtures; the gradients of both by both of their factors.
      flops: [4 * attended, 8 * attended],
      build: ({ qkv }) => attention(qkv, heads),
    },
    {
      name: 'field_linear',
      inputs: { x: h, w: [fields, dim, dim] },
      flops: [2 * batch * fields * dim ** 2, 4 * batch * fields * dim ** 2],
      build: ({ x, w }) => fieldLinear(x, w),
    },
    {
      name: 'bmm',
      inputs: { a: graph, c: h },
      flops: [2 * attended, 4 * attended],
      build: ({ a, c }) => bmm(a, c),
    },
    {
      name: 'edge_softmax',
      inputs: { x: [batch, fields, 2] },
      reads: [[batch, fields, 2], graph],
      build: ({ x }) => edgeSoftmax(x, { slope: 0.01 }),
    },
    {
      name: 'gru_cell',
      inputs: { gi: gates, gh: gates, h: state },
      keeps: [gates],
      reads: [gates, state],
      writes: [gates, gates, state],
      build: ({ gi, gh, h }) => gruCell(gi, gh, h),
    },
  ];
}

/** Products with weights, and ops on the rows between them. */
export const mapCases = (sizes: CaseSizes): KernelCase[] => [
  ...linearCases(sizes),
  ...fieldCases(sizes).flatMap(bothOf),
];
