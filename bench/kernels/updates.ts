import {
  Tape,
  adam,
  optimizers,
  rowIds,
  zeros,
  type ClipNorm,
  type Dispatch,
  type Optimizer,
  type OptimizerName,
  type Store,
} from '../../engine/index.js';
import { recordUpdates } from '../../engine/updates.js';
import type { KernelCase } from '../launch.js';
import { floatBytes, groupsOf, numbers, updateSteps, writeSchedule } from '../record.js';
import type { CaseSizes } from './op_case.js';

/** An update rule: what it keeps for each number, its multiplications and additions, and what it does to rows. */
interface Rule {
  readonly slots: number;
  readonly flops: number;
  /** Whether rows move in steps that do not name them, which then is made up for. */
  readonly replays: boolean;
  /** Without it rows that no step names rest. */
  readonly weightDecay?: number;
}

const rules: Readonly<Record<OptimizerName, Rule>> = {
  adam: { slots: 2, flops: 12, replays: true },
  sgd: { slots: 0, flops: 4, replays: true, weightDecay: 1e-5 },
  adagrad: { slots: 1, flops: 7, replays: true, weightDecay: 1e-5 },
  rmsprop: { slots: 1, flops: 7, replays: true },
  sparse_adam: { slots: 2, flops: 12, replays: false },
};

/** A rule as it trains tables row by row: adam's other ways are a walk, and sums of which each step of a run has its own. */
const optimizerOf = (name: OptimizerName): Optimizer =>
  name === 'adam' ? adam() : optimizers[name]({ weightDecay: rules[name].weightDecay });

const idsOf = (tape: Tape, { batch, fields }: CaseSizes, rows: number) =>
  rowIds(tape.input('ids', [batch, fields], 'u32'), { name: 'ids', rows });

/** What a step does to a table, with ids that change. */
interface TableCase {
  readonly name: string;
  readonly optimizer: Optimizer;
  /** Floats that are read or written of rows of the table and its slots, beside the gradients of those that are named. */
  readonly floats: (named: number) => number;
  readonly clip?: ClipNorm;
}

function tableCase({ name, optimizer, floats, clip }: TableCase, sizes: CaseSizes, rows: number): KernelCase {
  const { batch, fields, dim } = sizes;
  const { blocks, named } = groupsOf(idsOf(new Tape({ training: true }), sizes, rows));
  return {
    name,
    shape: `${Math.round(named)} rows of [${rows},${dim}]`,
    bytes: floatBytes([batch, fields, dim], [floats(named), dim]),
    flops: 0,
    chunkSteps: updateSteps,
    record(tape) {
      const table = tape.parameter('table', [rows, dim], { init: zeros, table: true });
      const source = tape.input('source', [batch, fields, dim]);
      const gradient = { kind: 'rows', ids: idsOf(tape, sizes, rows), source } as const;
      const { before, after } = recordUpdates(tape, new Map([[table, gradient]]), optimizer, clip);
      const advance: Dispatch[] = [];
      tape.launcher('step', 'step', advance)('step_advance', { state: tape.stepState() }, {}, [1]);
      return [...before, ...after, ...advance];
    },
    feed(store) {
      store.write('segments.ids', blocks);
      store.write('source', numbers([batch, fields, dim]));
      writeSchedule(store, optimizer);
    },
  };
}

/** Sums of the gradients of rows, replay of missed updates, update. */
function rowsCase(name: OptimizerName, sizes: CaseSizes, rows: number, clip?: ClipNorm): KernelCase {
  const { slots, replays } = rules[name];
  const how = `on rows, with segment sums${replays ? ' and replay' : ''}${clip ? ', clipped' : ''}`;
  const optimizer = optimizerOf(name);
  const floats = (named: number) => (2 + 2 * slots) * named;
  return tableCase({ name: `${name} ${how}`, optimizer, floats, clip }, sizes, rows);
}

/** Sums of the gradients of rows, update of all rows. */
function walkCase(sizes: CaseSizes, rows: number): KernelCase {
  const name = 'adam on all rows, with segment sums';
  const floats = () => (2 + 2 * rules.adam.slots) * rows;
  return tableCase({ name, optimizer: adam({ tables: 'fast' }), floats }, sizes, rows);
}

function denseCase(name: OptimizerName, { dim }: CaseSizes, rows: number): KernelCase {
  const { slots, flops } = rules[name];
  const shape = [rows, dim];
  const optimizer = optimizerOf(name);
  return {
    name: `${name}, dense`,
    shape: `[${shape}]`,
    bytes: floatBytes([3 + 2 * slots, ...shape]),
    flops: flops * rows * dim,
    record(tape) {
      const p = tape.parameter('p', shape, { init: zeros });
      const tensor = tape.input('g', shape);
      return recordUpdates(tape, new Map([[p, { kind: 'dense', tensor }]]), optimizer, undefined).after;
    },
    feed(store: Store) {
      store.write('g', numbers(shape));
      writeSchedule(store, optimizer);
    },
  };
}

/** Updates of tables by rows and of whole parameters; all tables by Adam, the first one by every rule. */
export function updateCases(sizes: CaseSizes): KernelCase[] {
  const { vocabularies } = sizes;
  const names = Object.keys(rules) as OptimizerName[];
  const pairs = names.flatMap((name) =>
    (name === 'adam' ? vocabularies : vocabularies.slice(0, 1)).map((rows) => [name, rows] as const),
  );
  return [
    ...pairs.map(([name, rows]) => rowsCase(name, sizes, rows)),
    rowsCase('adam', sizes, vocabularies[0], { maxNorm: 1 }),
    walkCase(sizes, vocabularies[0]),
    ...pairs.map(([name, rows]) => denseCase(name, sizes, rows)),
  ];
}
