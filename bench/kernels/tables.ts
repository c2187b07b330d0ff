import {
  Tape,
  backward,
  batchJoin,
  embeddingGather,
  embeddingPool,
  fmPairs,
  fmPooled,
  rowIds,
  type Dispatch,
  type RowIds,
  type Shape,
  type Store,
  type Tensor,
} from '../../engine/index.js';
import { listedRows, recordRowSums, recordTableGradient } from '../../engine/ops/segment_sum.js';
import type { KernelCase } from '../launch.js';
import { floatBytes, forwardOf, groupsOf, numbers, skewedIds } from '../record.js';
import { gatherRoof } from '../roofs.js';
import type { CaseSizes } from './op_case.js';

/** An op on rows of a table. */
interface Lookup {
  readonly name: string;
  readonly ids: readonly [batch: number, per: number];
  readonly table: readonly [rows: number, dim: number];
  build(table: Tensor, ids: RowIds): Tensor;
  readonly y: Shape;
  /** What the forward pass writes beside y, for the gradient. */
  readonly keeps?: readonly Shape[];
  /** 0 stands for no row. */
  readonly skipPadding?: boolean;
  /** Kernels of the forward pass; those of others are left out. */
  readonly entries?: RegExp;
  /** Nothing but a gather: see roofs.ts. */
  readonly plain?: boolean;
}

function idsOf({ ids: shape, table: [rows], skipPadding }: Lookup, tape: Tape): RowIds {
  const ids = tape.input('ids', shape, 'u32');
  return rowIds(ids, { name: 'ids', rows, per: shape[1], skipPadding });
}

/** Backward pass of an op, and the sums of the gradients of rows; with zeros for all other rows if `dense`. */
function rowGradientsOf(build: (tape: Tape) => Tensor, dense: boolean) {
  return (tape: Tape): readonly Dispatch[] => {
    const y = build(tape);
    const { dispatches, gradients } = backward(y, tape.input('seed', y.shape));
    const list = [...dispatches];
    for (const [table, gradient] of gradients) {
      if (gradient.kind !== 'rows') continue;
      const { ids, source } = gradient;
      if (dense) recordTableGradient(tape, list, table, ids, source);
      else recordRowSums(tape, list, ids, source, listedRows(tape, ids, table.shape[1], false));
    }
    return list;
  };
}

/** Forward pass, and the gradient of the rows that a step names or of all. */
function lookupCases(lookup: Lookup, dense = false): KernelCase[] {
  const { name, ids, table, y, keeps = [], entries } = lookup;
  const declared = idsOf(lookup, new Tape({ training: true }));
  const { first, blocks } = groupsOf(declared);
  const build = (tape: Tape) =>
    lookup.build(tape.parameter('table', table, { init: numbers, table: true }), idsOf(lookup, tape));
  const feed = (store: Store) => {
    if (store.has('ids')) store.write('ids', first);
    if (store.has('seed')) store.write('seed', numbers(y));
    if (store.has('segments.ids')) store.write('segments.ids', blocks.subarray(0, declared.layout.stride));
  };
  const common = { shape: `[${ids}] of [${table}]`, flops: 0, feed };
  const rows = dense ? table : [blocks[0], table[1]];
  return [
    {
      ...common,
      name,
      bytes: floatBytes(ids, [...ids, table[1]], y, ...keeps),
      record: forwardOf(build, entries),
      roof: lookup.plain ? gatherRoof(first, table[0]) : undefined,
    },
    {
      ...common,
      name: `${name}, ${dense ? 'dense ' : ''}gradient`,
      // Ops that keep something read the rows again.
      bytes: floatBytes(ids, y, ...keeps, rows, ...(keeps.length > 0 ? [rows] : [])),
      record: rowGradientsOf(build, dense),
    },
  ];
}

function gatherOf({ batch, fields, dim }: CaseSizes, rows: number): Lookup {
  const ids = [batch, fields] as const;
  const y = [...ids, dim];
  return { name: 'embedding_gather', ids, table: [rows, dim], y, build: embeddingGather, plain: dim === 16 };
}

/** Pairs of fields whose rows are read where they are, if they are whole vec4s. */
function fmCases({ batch, fields, dim, vocabularies: [rows] }: CaseSizes): Lookup[] {
  if (dim % 4 !== 0) return [];
  const rules = [
    { name: 'fm_pairs of a table', op: fmPairs, y: [batch, 1] },
    { name: 'fm_pooled of a table', op: fmPooled, y: [batch, dim] },
  ];
  return rules.map(({ op, ...rest }) => ({
    ...rest,
    ids: [batch, fields],
    table: [rows, dim],
    keeps: [[batch, dim]],
    build: (table, ids) => op(embeddingGather(table, ids)),
    entries: /^fm/,
  }));
}

function poolOf({ batch, sequence, dim, vocabularies: [rows] }: CaseSizes): Lookup {
  return {
    name: 'embedding_pool',
    ids: [batch, sequence],
    table: [rows, dim],
    y: [batch, dim],
    skipPadding: true,
    build: (table, ids) => embeddingPool(table, ids, 'mean'),
  };
}

/** Columns of the fed rows, and of a table that a column of theirs points into. */
function joinCases({ batch, fields, vocabularies: [rows] }: CaseSizes): KernelCase[] {
  const joined = [batch, fields];
  const common = { shape: `[${joined}]`, flops: 0 };
  const record = (keyed: boolean) => (tape: Tape) => {
    const fed = tape.input('rows', [batch, fields + 1], 'u32');
    const source = tape.shared('source', [rows, fields], 'u32');
    const target = tape.activation('joined', joined, 'u32');
    const place = { sourceColumn: 0, target, targetColumn: 0, columns: fields };
    batchJoin(tape, fed, batch, { ...place, ...(keyed && { source, key: fields }) });
    return tape.forward;
  };
  const feed = (store: Store) => {
    store.write('rows', skewedIds(batch * (fields + 1), rows));
    if (store.has('source')) store.write('source', skewedIds(rows * fields, rows));
  };
  const whole = (tape: Tape) => {
    const target = tape.activation('joined', joined, 'u32');
    const place = { sourceColumn: 0, target, targetColumn: 0, columns: fields };
    batchJoin(tape, tape.input('rows', joined, 'u32'), batch, place);
    return tape.forward;
  };
  const bytes = floatBytes(joined, joined);
  return [
    { ...common, name: 'batch_join', bytes, feed, record: record(false) },
    {
      ...common,
      name: 'batch_join of whole rows',
      bytes,
      feed: (store) => store.write('rows', skewedIds(batch * fields, rows)),
      record: whole,
    },
    {
      ...common,
      name: 'batch_join by key',
      bytes: floatBytes([batch], joined, joined),
      feed,
      record: record(true),
    },
  ];
}

/** What reads tables, and the gradients of the rows that it names. */
export function tableCases(sizes: CaseSizes): KernelCase[] {
  const [rows] = sizes.vocabularies;
  const lookups = [...fmCases(sizes), poolOf(sizes)];
  return [
    ...joinCases(sizes),
    ...sizes.vocabularies.flatMap((count) => lookupCases(gatherOf(sizes, count))),
    ...lookupCases(gatherOf(sizes, rows), true).slice(1),
    ...lookups.flatMap((lookup) => lookupCases(lookup)),
  ];
}
