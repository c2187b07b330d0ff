import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { syntheticSpec, writeSynthetic, type SyntheticSpec } from '../data/synthetic.js';
import { cpuAdapter } from '../engine/adapter.js';
import { tokenFields } from './data.js';
import type { EpochRound, EpochRun, MemorySample } from './epoch_run.js';
import { Rival, findTorch, torch, type Opened, type Trained, type TrainingSizes } from './rival.js';

/** How long is measured. */
export interface EpochEffort {
  /** Processes, PyTorch's steps between them. */
  readonly turns: number;
  /** Epochs of each, the first of which is apart. */
  readonly rounds: number;
  /** Steps over which memory must not grow. */
  readonly steps: number;
  readonly batch: number;
}

/** Epochs of a model on a data set; medians of all but the first of each process. */
export interface EpochRow {
  readonly name: string;
  readonly shape: string;
  readonly adapter: string;
  readonly dataMs: number;
  readonly openMs: number;
  /** The first epoch with its evaluation, when code is still being compiled. */
  readonly firstMs: number;
  readonly trainMs: number;
  readonly validMs: number;
  /** Steps and evaluation of an epoch, and what all threads computed for it. */
  readonly epochMs: number;
  readonly cpuMs: number;
  /** Scores and AUC of all rows, and as a share of the time to train as many. */
  readonly allMs: number;
  readonly allOfTraining: number;
  /** PyTorch's steps of an epoch with 7 token fields, without evaluation, over all of our epoch. */
  readonly overTorch?: number;
  /** The same of the time that all threads computed, which a busy machine hardly changes. */
  readonly cpuOverTorch?: number;
  readonly peakBytes: number;
  readonly held: EpochRun['held'];
  /** From the first tenth of the steps to the last, medians. */
  readonly grownBytes: number;
  readonly samples: readonly MemorySample[];
}

/** What ml-1m is like: a million interactions. */
export const usualEpoch: SyntheticSpec = syntheticSpec({ like: 'ml-1m' });

export const usualEffort: EpochEffort = { turns: 4, rounds: 4, steps: 10_000, batch: 4096 };

/** The middle value. */
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** How much more the last samples hold than the first: each a quarter of them, what comes before step 1000 left out. */
export function growth(samples: readonly MemorySample[], from = 1000): number {
  const settled = samples.filter(({ step }) => step >= from).map(({ bytes }) => bytes);
  const few = Math.max(1, settled.length >> 2);
  return settled.length < 2 ? 0 : median(settled.slice(-few)) - median(settled.slice(0, few));
}

/** Runs the epochs in a process of their own, so that its memory is theirs. Throws Error with what it wrote. */
async function trained(rounds: number, steps: number, argv: readonly string[]): Promise<EpochRun> {
  const program = fileURLToPath(new URL('./epoch_run.js', import.meta.url));
  const args = ['--expose-gc', program, String(rounds), String(steps), ...argv];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, warned] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === '') throw new Error(`epoch: no answer: ${warned.trim().slice(-2000)}`);
  return JSON.parse(said) as EpochRun;
}

/** PyTorch on all threads with a model as large, or undefined where there is none. */
async function openTorch(model: string, { vocabulary, batch }: EpochRun): Promise<Rival | undefined> {
  const python = await findTorch();
  if (python === undefined) return undefined;
  const sizes: TrainingSizes = { model, classes: 1, batch, vocabulary, embeddingSize: 16, epochSteps: 16 };
  const { rival } = await Rival.start(torch(python, cpuAdapter().cores));
  await rival.ask<Opened>({ open: { ...sizes, fields: tokenFields(vocabulary) } });
  await rival.ask<Trained>({ train: 1 });
  return rival;
}

/** Steps of PyTorch in a turn. */
const torchSteps = 6;

/** Our epochs and PyTorch's steps in turns, so that whatever else the machine does meets both. */
async function takeTurns(
  model: string,
  argv: readonly string[],
  { turns, rounds, steps }: EpochEffort,
): Promise<{ runs: readonly EpochRun[]; theirs: readonly Trained[] }> {
  const runs: EpochRun[] = [];
  const theirs: Trained[] = [];
  let rival: Rival | undefined;
  try {
    for (let turn = 1; turn <= turns; turn++) {
      runs.push(await trained(rounds, turn === turns ? steps : 0, argv));
      if (turn === 1) rival = await openTorch(model, runs[0]);
      if (rival !== undefined) theirs.push(await rival.ask<Trained>({ train: torchSteps }));
    }
    return { runs, theirs };
  } finally {
    await rival?.end();
  }
}

function rowOf(model: string, runs: readonly EpochRun[], theirs: readonly Trained[]): EpochRow {
  const last = runs[runs.length - 1];
  const { adapter, rows, vocabulary, batch, peakBytes, held, samples } = last;
  const warm = runs.flatMap(({ rounds }) => rounds.slice(1));
  const of = (part: keyof EpochRound) => median(warm.map((round) => round[part]));
  const [trainMs, validMs, allMs] = [of('trainMs'), of('validMs'), of('allMs')];
  const epochMs = trainMs + validMs;
  const cpuMs = of('cpuMs');
  // Of an epoch of theirs.
  const torch = (part: 'ms' | 'cpuMs') =>
    median(theirs.map((one) => one[part])) * Math.ceil(rows.train / batch);
  return {
    name: `${model} epoch`,
    shape: `${rows.train.toLocaleString('en-US')} rows, B ${batch}, V ${vocabulary}`,
    ...{ adapter, trainMs, validMs, epochMs, cpuMs, allMs, peakBytes, held, samples },
    dataMs: median(runs.map(({ dataMs }) => dataMs)),
    openMs: median(runs.map(({ openMs }) => openMs)),
    firstMs: median(runs.map(({ rounds: [first] }) => first.trainMs + first.validMs)),
    allOfTraining: median(warm.map((round) => round.allMs / round.trainMs)) * (rows.train / rows.all),
    ...(theirs.length > 0 && { overTorch: torch('ms') / epochMs, cpuOverTorch: torch('cpuMs') / cpuMs }),
    grownBytes: growth(samples),
  };
}

/** Epochs of a model on an invented set, from its files to metrics, and the memory of many steps. */
export async function benchEpoch(
  spec: SyntheticSpec,
  {
    model = 'FM',
    adapter,
    threads,
  }: { readonly model?: string; readonly adapter: string; readonly threads?: number },
  effort: EpochEffort,
): Promise<EpochRow> {
  const folder = mkdtempSync(join(tmpdir(), 'ctr-bench-'));
  try {
    await writeSynthetic(spec, folder);
    const size = `--train_batch_size=${effort.batch}`;
    const flags = [`--model=${model}`, `--dataset=${spec.name}`, `--data_path=${folder}`, size];
    const device = [`--adapter=${adapter}`, ...(threads === undefined ? [] : [`--threads=${threads}`])];
    const { runs, theirs } = await takeTurns(model, [...flags, ...device], effort);
    return rowOf(model, runs, theirs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
