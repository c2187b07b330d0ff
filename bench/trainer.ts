/**
 * Trains what it is asked to, as rival.ts asks: the very loop of `train`, with its batches laid out, tables brought up
 * to date at the end of an epoch, and losses read back. Arguments: adapter, threads of the CPU target.
 */
import { createInterface } from 'node:readline';
import { findAdapter, openAdapter } from '../engine/adapter.js';
import { adam, size, type Device } from '../engine/index.js';
import { packFeatures } from '../models/index.js';
import { Runner } from '../cli/runner.js';
import type { Dataset } from '../data/schema.js';
import { benchDataset, uniforms } from './data.js';
import type { Opened, Request, Trained, TrainingSizes } from './rival.js';
import { writeStart, type StartTensor } from './same_start.js';
import { programOf } from './step.js';

/** A model in training. */
interface Training extends Opened {
  train(steps: number, first?: number): Promise<Trained>;
  write(folder: string): Promise<void>;
  destroy(): void;
}

/** Numbers below `count` in an order of chance. */
function permutation(count: number): Uint32Array {
  const random = uniforms(count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The batches of an epoch as other engines take them: rows of the joint table, joined, and labels. */
function batchesOf({ schema, inter, users, items, label }: Dataset, order: Uint32Array): StartTensor[] {
  const fields = schema.token;
  const idsIn = (table: Dataset['inter'] | null, name: string) => {
    const column = table?.columns.get(name);
    if (column?.type !== 'token') throw new Error(`bench: ${name} is no token field of the data`);
    return column.ids;
  };
  const [user, item] = [schema.userField, schema.itemField].map((name) => idsIn(inter, name));
  const rows = new Int32Array(order.length * fields.length);
  for (const [f, { name, source, offset }] of fields.entries()) {
    const ids = idsIn({ inter, user: users, item: items }[source], name);
    const owner = { inter: undefined, user, item }[source];
    for (const [i, row] of order.entries()) {
      rows[i * fields.length + f] = offset + ids[owner === undefined ? row : owner[row]];
    }
  }
  const labels = Float32Array.from(order, (row) => (label as Float32Array)[row]);
  return [
    { name: 'batch/rows', shape: [order.length, fields.length], data: rows },
    { name: 'batch/labels', shape: [order.length], data: labels },
  ];
}

async function openTraining(device: Device, sizes: TrainingSizes): Promise<Training> {
  const began = performance.now();
  const rows = sizes.epochSteps * sizes.batch;
  const dataset = benchDataset(rows, sizes.vocabulary, sizes.ids);
  const features = packFeatures(dataset);
  const order = permutation(rows);
  const dataMs = performance.now() - began;
  const runner = await Runner.open(device, programOf(sizes, features), features, {
    trainBatch: sizes.batch,
    evalBatch: sizes.batch,
    trainRows: rows,
    optimizer: adam({ tables: 'fast' }),
    seed: 2020,
  });
  let [at, stepsBefore] = [0, 0];
  return {
    parameters: runner.store.list('parameter').reduce((sum, { shape }) => sum + size(shape), 0),
    dataMs,
    async write(folder) {
      const weights: StartTensor[] = [];
      for (const { name, shape } of runner.store.list('parameter')) {
        weights.push({ name, shape, data: Float32Array.from(await runner.store.read(name)) });
      }
      writeStart(folder, [...weights, ...batchesOf(dataset, order)]);
    },
    async train(steps, first) {
      if (first !== undefined) at = first * sizes.batch;
      if (at + steps * sizes.batch > rows) at = 0;
      const part = order.subarray(at, (at += steps * sizes.batch));
      const [start, before] = [performance.now(), process.cpuUsage()];
      let loss = NaN;
      for await (const { parts } of runner.train(part, { stepsBefore, done: 0 }, () => 0.001)) {
        loss = parts.loss[parts.loss.length - 1];
      }
      await device.settled();
      const { user, system } = process.cpuUsage(before);
      stepsBefore += steps;
      return { ms: (performance.now() - start) / steps, cpuMs: (user + system) / 1000 / steps, loss };
    },
    destroy: () => runner.destroy(),
  };
}

const say = (answer: unknown) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function main([adapter = 'auto', threads]: readonly string[]): Promise<void> {
  const found = await findAdapter(adapter);
  const onCpu = found.kind === 'cpu';
  const device = await openAdapter(found, { threads: threads === undefined ? undefined : Number(threads) });
  say({ name: found.name, threads: onCpu ? Number(threads ?? found.cores) : undefined });
  let training: Training | undefined;
  const answer = async (request: Request): Promise<object> => {
    if ('train' in request) {
      if (training === undefined) throw new Error('nothing is open');
      return training.train(request.train, request.first);
    }
    if ('write' in request) {
      await training?.write(request.write);
      return {};
    }
    training?.destroy();
    training = 'open' in request ? await openTraining(device, request.open) : undefined;
    return { parameters: training?.parameters, dataMs: training?.dataMs };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(JSON.parse(line) as Request));
    } catch (error) {
      say({ error: (error as Error).message });
    }
  }
  training?.destroy();
  device.destroy();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say({ error: (error as Error).message });
  process.exitCode = 1;
}
