/**
 * Trains epochs by the way of `train` and evaluates after each, then trains on to see whether memory grows; says in one
 * line of JSON how long that took. Started by epoch.ts, with --expose-gc.
 *
 *   node --expose-gc dist/bench/epoch_run.js ROUNDS STEPS --model=FM --dataset=NAME --data_path=FOLDER …
 */
import { loadTrainConfig } from '../cli/config.js';
import { openDataset, openDevice, openRunner, programOf } from '../cli/open.js';
import { evaluate, partOf, type Part } from '../cli/train/evaluation.js';
import { BatchOrder, splitDataset } from '../data/dataset.js';
import { size } from '../engine/index.js';
import { models, packFeatures } from '../models/index.js';

/** One epoch: milliseconds of its steps, of the valid part's metrics, and of the AUC of every row there is. */
export interface EpochRound {
  readonly trainMs: number;
  readonly validMs: number;
  readonly allMs: number;
  /** Of all threads, for steps and valid metrics: what others do at the same time hardly changes it. */
  readonly cpuMs: number;
}

/** Resident bytes of the process after so many steps, what could be collected being gone. */
export interface MemorySample {
  readonly step: number;
  readonly bytes: number;
}

/** What a process says that has trained. */
export interface EpochRun {
  readonly adapter: string;
  readonly rows: Readonly<Record<'train' | 'valid' | 'all', number>>;
  /** Rows of the joint table. */
  readonly vocabulary: number;
  readonly batch: number;
  /** Milliseconds from files to columns of ids, and from there to compiled steps on a device. */
  readonly dataMs: number;
  readonly openMs: number;
  readonly rounds: readonly EpochRound[];
  readonly samples: readonly MemorySample[];
  readonly peakBytes: number;
  /** What the device holds: parameters with state, slots of the optimizer, activations of the plan. */
  readonly held: Readonly<Record<'parameters' | 'optimizer' | 'activations', number>>;
}

/** Steps after which memory is expected to stay: buffers are there and code is compiled. */
const samplesWanted = 40;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function run(rounds: number, steps: number, argv: readonly string[]): Promise<EpochRun> {
  const request = await loadTrainConfig(argv, models);
  if (request.kind !== 'run') throw new Error('epoch_run: the command line asks for no run');
  const { config } = request;
  const start = performance.now();
  const dataset = await openDataset(config, () => {});
  const split = splitDataset(dataset, config.data);
  const features = packFeatures(dataset);
  const dataMs = performance.now() - start;
  const device = await openDevice(config);
  const runner = await openRunner(device, config, programOf(config, dataset), features, split.train.length);
  await device.settled();
  const openMs = performance.now() - start - dataMs;
  const all = Uint32Array.from({ length: dataset.inter.rows }, (_, row) => row);
  const part = (rows: Uint32Array) => partOf('valid', dataset, { ...split, valid: rows }, config) as Part;
  const [valid, every] = [part(split.valid), part(all)];
  const order = new BatchOrder(split.train, config.seed);
  let step = 0;
  const epoch = async () => {
    for await (const { parts } of runner.train(order.next(), { stepsBefore: step, done: 0 }, () => 0.001)) {
      if (!Number.isFinite(parts.loss[0])) throw new Error(`epoch_run: the loss is ${parts.loss[0]}`);
    }
    await device.settled();
    step += runner.epochSteps;
  };
  const judge = (one: Part, metrics: readonly string[]) =>
    timed(() => evaluate(runner, one, { ...config, metrics }, {}));
  const done: EpochRound[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage();
    const trainMs = await timed(epoch);
    const validMs = await judge(valid, config.metrics);
    const { user, system } = process.cpuUsage(before);
    const allMs = await judge(every, ['AUC']);
    done.push({ trainMs, validMs, allMs, cpuMs: (user + system) / 1000 });
  }
  const samples: MemorySample[] = [];
  const between = Math.max(1, Math.floor(steps / runner.epochSteps / samplesWanted));
  for (let i = 0; step < steps; i++) {
    await epoch();
    await judge(valid, config.metrics);
    if (i % between === 0 || step >= steps) samples.push({ step, bytes: resident() });
  }
  const words = (...kinds: readonly ('parameter' | 'state' | 'slot')[]) =>
    4 * runner.store.list(...kinds).reduce((sum, { shape }) => sum + size(shape), 0);
  const result: EpochRun = {
    adapter: device.name,
    rows: { train: split.train.length, valid: split.valid.length, all: all.length },
    vocabulary: dataset.schema.token.reduce((sum, { cardinality }) => sum + cardinality, 0),
    batch: runner.batchRows,
    dataMs,
    openMs,
    rounds: done,
    samples,
    peakBytes: 1024 * process.resourceUsage().maxRSS,
    held: {
      parameters: words('parameter', 'state'),
      optimizer: words('slot'),
      activations: runner.memory?.bytes ?? 0,
    },
  };
  runner.destroy();
  device.destroy();
  return result;
}

function resident(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

const [rounds, steps, ...argv] = process.argv.slice(2);
console.log(JSON.stringify(await run(Number(rounds), Number(steps), argv)));
