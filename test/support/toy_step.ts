import {
  SegmentPlanner,
  Store,
  Tape,
  adam,
  batchJoin,
  binaryCrossEntropy,
  compile,
  embeddingGather,
  fmPooled,
  linear,
  mean,
  normal,
  rowIds,
  type Device,
  type Plan,
  type RowIds,
  type Tensor,
} from '../../engine/index.js';
import { numbers } from './numbers.js';

/** Sizes of the toy model: odd, and beyond one workgroup. */
export const toy = { batch: 37, fields: 3, dim: 4, rows: 29, chunkSteps: 8 } as const;

/** A row that no batch names unless asked to. */
export const spareRow = toy.rows - 1;

/** A small factorization machine with a table, a dense layer and a feed, traced but not compiled. */
export interface ToyTrace {
  readonly tape: Tape;
  readonly ids: RowIds;
  readonly e: Tensor;
  readonly pooled: Tensor;
  readonly z: Tensor;
  readonly loss: Tensor;
}

/** Traces loss = mean BCE(w · fm_pooled(table[ids]) + b, label). */
export function traceToy(): ToyTrace {
  const { batch, fields, dim, rows, chunkSteps } = toy;
  const tape = new Tape({ training: true, chunkSteps });
  const fed = tape.input('rows', [chunkSteps * batch, fields + 1], 'u32');
  const tokens = tape.activation('tokens', [batch, fields], 'u32');
  const label = tape.activation('label', [batch], 'u32');
  const place = { sourceColumn: 0, targetColumn: 0 };
  batchJoin(tape, fed, batch, { ...place, target: tokens, columns: fields });
  batchJoin(tape, fed, batch, { ...place, sourceColumn: fields, target: label, columns: 1 });
  const table = tape.parameter('table', [rows, dim], { init: normal(0, 0.3), table: true });
  const w = tape.parameter('w', [1, dim], { init: normal(0, 0.3) });
  const b = tape.parameter('b', [1], { init: normal(0, 0.3) });
  const ids = rowIds(tokens, { name: 'tokens', rows });
  const e = embeddingGather(table, ids);
  const pooled = fmPooled(e);
  const z = linear(pooled, w, b);
  return { tape, ids, e, pooled, z, loss: mean(binaryCrossEntropy(z, label)) };
}

/** A compiled toy with its own store. */
export interface Toy extends ToyTrace {
  readonly store: Store;
  readonly plan: Plan;
}

/** Compiles the toy with Adam and feeds it; `poisoned` is the step of the chunk that names the spare row. */
export async function makeToy(device: Device, options: ToyOptions = {}): Promise<Toy> {
  const traced = traceToy();
  const optimizer = adam();
  const store = new Store(device, options.seed ?? 5);
  const { tape, loss, z } = traced;
  const keep = options.keep?.(traced);
  const plan = await compile(device, store, { tape, loss, optimizer, records: { z }, keep });
  feedToy(store, traced.ids, options.poisoned);
  const schedule = Array.from({ length: 64 }, (_, i) => [...optimizer.schedule(i + 1, 0.01)]);
  plan.setSchedule(1, Float32Array.from(schedule.flat()));
  return { ...traced, store, plan };
}

export interface ToyOptions {
  readonly seed?: number;
  readonly poisoned?: number;
  readonly keep?: (traced: ToyTrace) => readonly Tensor[];
}

/** Writes rows, labels and groups of a chunk; `poisoned` is the step whose first id is the spare row. */
export function feedToy(store: Store, { layout, rule }: RowIds, poisoned?: number, seed = 3): void {
  const { batch, fields, chunkSteps } = toy;
  const random = numbers(seed)([chunkSteps, batch, fields + 1]);
  const words = Uint32Array.from(random, (value, i) =>
    i % (fields + 1) === fields ? Number(value > 0) : Math.floor(Math.abs(value) * 1e6) % spareRow,
  );
  if (poisoned !== undefined) words[poisoned * batch * (fields + 1)] = spareRow;
  const planner = new SegmentPlanner(rule);
  const blocks = new Uint32Array(chunkSteps * layout.stride);
  for (let step = 0; step < chunkSteps; step++) {
    const own = words.subarray(step * batch * (fields + 1), (step + 1) * batch * (fields + 1));
    const ids = own.filter((_, i) => i % (fields + 1) !== fields);
    planner.plan(ids, layout, blocks.subarray(step * layout.stride, (step + 1) * layout.stride));
  }
  store.write('rows', words);
  store.write('segments.tokens', blocks);
}

/** Every parameter, slot and running statistic, as words, so that equality is that of bits. */
export async function wordsOf(store: Store): Promise<Record<string, Uint32Array>> {
  const all: Record<string, Uint32Array> = {};
  for (const { name } of store.list('parameter', 'slot', 'state')) {
    const { buffer, byteOffset, length } = await store.read(name);
    all[name] = new Uint32Array(buffer, byteOffset, length);
  }
  return all;
}
