import {
  adam,
  add,
  batchNorm,
  binaryCrossEntropy,
  constant,
  dropout,
  embeddingGather,
  embeddingPool,
  fmPairs,
  fmPooled,
  linear,
  mean,
  relu,
  rowIds,
  segmentLayout,
  sigmoid,
  softmaxCrossEntropy,
  zeros,
  type Device,
  type Dispatch,
  type RowIds,
  type Store,
  type Tape,
} from '../engine/index.js';
import { recordUpdates } from '../engine/updates.js';
import { uniforms } from './data.js';
import { openCase, type KernelCase, type OpenCase } from './launch.js';
import { measure, type Effort, type Timed } from './measure.js';
import { copyCandidate, type Peaks } from './peaks.js';
import {
  backwardOf,
  bothOf,
  floatBytes,
  forwardOf,
  groupsOf,
  skewedIds,
  updateSteps,
  writeSchedule,
} from './record.js';
import { rowOf, type KernelRow } from './report.js';

/** Sizes that all cases share. */
export interface CaseSizes {
  readonly batch: number;
  readonly fields: number;
  readonly dim: number;
  /** Rows of the tables. */
  readonly vocabularies: readonly number[];
  readonly sequence: number;
  readonly classes: number;
  /** [inner, outer] of the linear maps. */
  readonly maps: readonly (readonly [number, number])[];
  /** Columns of what elementwise ops work on. */
  readonly columns: number;
}

/** B 4096, F 7, D 16, as a step of FM; maps from 64 to 1024 wide. */
export const usualSizes: CaseSizes = {
  batch: 4096,
  fields: 7,
  dim: 16,
  vocabularies: [12_000, 1_000_000],
  sequence: 8,
  classes: 5,
  maps: [
    [64, 64],
    [256, 256],
    [1024, 512],
  ],
  columns: 256,
};

function gatherCases({ batch, fields, dim, vocabularies }: CaseSizes): KernelCase[] {
  return vocabularies.map((rows) => ({
    name: 'embedding_gather',
    shape: `[${batch},${fields}] of [${rows},${dim}]`,
    bytes: floatBytes([batch, fields], [batch, fields, dim], [batch, fields, dim]),
    flops: 0,
    record: forwardOf((tape) => {
      const ids = rowIds(tape.input('ids', [batch, fields], 'u32'), { name: 'ids', rows });
      return embeddingGather(tape.parameter('table', [rows, dim], { init: zeros, table: true }), ids);
    }),
    feed: (store) => store.write('ids', skewedIds(batch * fields, rows)),
  }));
}

function poolCase({ batch, sequence, dim, vocabularies: [rows] }: CaseSizes): KernelCase {
  return {
    name: 'embedding_pool',
    shape: `[${batch},${sequence}] of [${rows},${dim}]`,
    bytes: floatBytes([batch, sequence], [batch, sequence, dim], [batch, dim]),
    flops: batch * sequence * dim,
    record: forwardOf((tape) => {
      const ids = tape.input('ids', [batch, sequence], 'u32');
      const rule = rowIds(ids, { name: 'ids', rows, per: sequence, skipPadding: true });
      return embeddingPool(tape.parameter('table', [rows, dim], { init: zeros, table: true }), rule, 'mean');
    }),
    feed: (store) => store.write('ids', skewedIds(batch * sequence, rows)),
  };
}

/** What a step does to a table: sums of its rows' gradients, replay of missed updates, Adam; with ids that change. */
function tableCases({ batch, fields, dim, vocabularies }: CaseSizes): KernelCase[] {
  return vocabularies.map((rows) => {
    const layout = segmentLayout(batch * fields, rows);
    const rule = { rows, per: 1, skipPadding: false };
    const { blocks, named } = groupsOf({ layout, rule } as RowIds);
    return {
      name: 'adam on rows, with segment sums and replay',
      shape: `${Math.round(named)} rows of [${rows},${dim}]`,
      bytes: floatBytes([batch, fields, dim], [6, named, dim]),
      flops: 0,
      chunkSteps: updateSteps,
      record(tape) {
        const ids: RowIds = { name: 'ids', ids: tape.input('ids', [batch, fields], 'u32'), layout, rule };
        const table = tape.parameter('table', [rows, dim], { init: zeros, table: true });
        const source = tape.input('source', [batch, fields, dim]);
        const gradients = new Map([[table, { kind: 'rows', ids, source } as const]]);
        const { before, after } = recordUpdates(tape, gradients, adam(), undefined);
        const advance: Dispatch[] = [];
        tape.launcher('step', 'step', advance)('step_advance', { state: tape.stepState() }, {}, [1]);
        return [...before, ...after, ...advance];
      },
      feed(store) {
        const random = uniforms(1);
        store.write('segments.ids', blocks);
        store.write(
          'source',
          Float32Array.from({ length: batch * fields * dim }, () => random() - 0.5),
        );
        writeSchedule(store);
      },
    };
  });
}

function denseCases({ dim, vocabularies }: CaseSizes): KernelCase[] {
  return vocabularies.map((rows) => ({
    name: 'adam, dense',
    shape: `[${rows},${dim}]`,
    bytes: floatBytes([7, rows, dim]),
    flops: 12 * rows * dim,
    record(tape) {
      const p = tape.parameter('p', [rows, dim], { init: zeros });
      const tensor = tape.input('g', [rows, dim]);
      return recordUpdates(tape, new Map([[p, { kind: 'dense', tensor }]]), adam(), undefined).after;
    },
    feed: writeSchedule,
  }));
}

/** Tables: gather, pool, sums of gradients, updates. */
export const embeddingCases = (sizes: CaseSizes): KernelCase[] => [
  ...gatherCases(sizes),
  poolCase(sizes),
  ...tableCases(sizes),
  ...denseCases(sizes),
];

/** Pairwise products and supervision. */
export function modelCases({ batch, fields, dim, classes }: CaseSizes): KernelCase[] {
  const e = [batch, fields, dim];
  return [
    ...bothOf('fm_pairs', [e], [batch], (tape) => fmPairs(tape.variable('e', e))),
    ...bothOf('fm_pooled', [e], [batch, dim], (tape) => fmPooled(tape.variable('e', e))),
    ...bothOf('softmax_cross_entropy', [[batch, classes]], [batch], (tape) =>
      softmaxCrossEntropy(tape.variable('z', [batch, classes]), tape.input('label', [batch], 'u32')),
    ),
    ...bothOf('binary_cross_entropy', [[batch, 1]], [batch], (tape) =>
      binaryCrossEntropy(tape.variable('z', [batch, 1]), tape.input('label', [batch], 'u32')),
    ),
  ];
}

/** The linear map and its gradients, each with all that it needs. */
export function linearCases({ batch, maps }: CaseSizes): KernelCase[] {
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
      // Memory that nobody wrote is one page of zeros under many addresses, which caches are slow to read.
      feed(store: Store) {
        for (const [name, shape] of Object.entries(shapes)) {
          const random = uniforms(1);
          const values = Float32Array.from({ length: floatBytes(shape) / 4 }, () => random() - 0.5);
          if (store.has(name)) store.write(name, values);
        }
      },
    };
    return [
      { ...product, name: 'linear', record: forwardOf(build()) },
      { ...product, name: 'linear, dx', record: backwardOf(build('x')) },
      { ...product, name: 'linear, dw and db', record: backwardOf(build('w', 'b')) },
    ];
  });
}

/** Ops over [B,N]. */
export function elementwiseCases({ batch, columns }: CaseSizes): KernelCase[] {
  const shape = [batch, columns];
  const variable = (tape: Tape, name = 'x') => tape.variable(name, shape);
  const perColumn = [columns];
  return [
    ...bothOf('relu', [shape], shape, (tape) => relu(variable(tape))),
    ...bothOf('sigmoid', [shape], shape, (tape) => sigmoid(variable(tape))),
    ...bothOf('add', [shape, shape], shape, (tape) => add(variable(tape), variable(tape, 'b'))).slice(0, 1),
    ...bothOf('add a row', [shape, perColumn], shape, (tape) =>
      add(variable(tape), tape.variable('b', perColumn)),
    ),
    ...bothOf('mean', [shape], [1], (tape) => mean(variable(tape))),
    ...bothOf('dropout', [shape], shape, (tape) => dropout(variable(tape), 0.5)),
    ...bothOf('batch_norm', [shape], shape, (tape) =>
      batchNorm(variable(tape), tape.variable('weight', perColumn), tape.variable('bias', perColumn), {
        runningMean: tape.state('mean', perColumn, zeros),
        runningVar: tape.state('var', perColumn, constant(1)),
      }),
    ),
  ];
}

/** A copy of as many bytes as each case moves, by that number. */
async function copiesOf(device: Device, cases: readonly KernelCase[]): Promise<Map<number, OpenCase>> {
  const copies = new Map<number, OpenCase>();
  for (const { bytes } of cases) {
    if (!copies.has(bytes)) copies.set(bytes, await copyCandidate(device, bytes / 2));
  }
  return copies;
}

function besideCopy(timed: Timed, copied: Timed, peaks: Peaks): KernelRow {
  const { flops } = timed.candidate;
  return {
    ...rowOf(timed, peaks),
    ofCopy: copied.minMs / timed.minMs,
    gflopPerThread: flops / 1e6 / timed.cpuMs,
  };
}

/** Every group is measured by itself, its cases and copies of their bytes in turns, and gives its memory back. */
export async function benchKernels(
  device: Device,
  sizes: CaseSizes,
  peaks: Peaks,
  effort: Effort,
): Promise<KernelRow[]> {
  const rows: KernelRow[] = [];
  for (const group of [embeddingCases, modelCases, linearCases, elementwiseCases]) {
    const open: OpenCase[] = [];
    for (const one of group(sizes)) open.push(await openCase(device, one));
    const copies = await copiesOf(device, group(sizes));
    const candidates = [...open, ...copies.values()].map(({ candidate }) => candidate);
    const timed = await measure(device, candidates, effort);
    const numbers = [...copies.keys()];
    const copyOf = ({ candidate }: Timed) => timed[open.length + numbers.indexOf(candidate.bytes)];
    rows.push(...timed.slice(0, open.length).map((one) => besideCopy(one, copyOf(one), peaks)));
    for (const one of [...open, ...copies.values()]) one.release();
  }
  return rows;
}
