import { availableParallelism } from 'node:os';
import { findAdapter, listAdapters } from '../engine/adapter.js';
import { tokenFields } from './data.js';
import { timesOf, type Effort, type Sample, type Times } from './measure.js';
import {
  Rival,
  findTorch,
  installTorch,
  ours,
  torch,
  type Command,
  type Greeting,
  type Opened,
  type Trained,
  type TrainingSizes,
} from './rival.js';
import { checkLosses, lossDifference } from './same_start.js';
import { modelText, shapeText } from './step.js';

/** Who competes. */
export interface Contender {
  /** What a table calls it: 'CPU target, 2 threads', 'PyTorch 1.13.1, 2 threads'. */
  readonly name: string;
  readonly command: Command;
  readonly isTorch: boolean;
}

/** A training on one rival. */
export interface RivalRow extends Times {
  readonly name: string;
  readonly shape: string;
  readonly rival: string;
  readonly isTorch: boolean;
  /** Steps of a sample. */
  readonly steps: number;
  /** How many times as fast as the fastest PyTorch, medians. */
  readonly overTorch?: number;
  /** Difference of its first losses from ours, relative, where it starts from our weights. */
  readonly lossDifference?: number;
}

/** A rival that could not compete, and why. */
export interface Absence {
  readonly rival: string;
  readonly shape: string;
  readonly why: string;
}

const threadsText = (threads: number | undefined) =>
  threads === undefined ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;

const nameOf = ({ name, threads }: Greeting) => `${name}${threadsText(threads)}`;

/** One thread and all. */
export const threadCounts = (): number[] => [...new Set([1, availableParallelism()])];

/** Our engine on every adapter that can be had, or on that of a choice; the CPU target on one thread and on all. */
export async function ourContenders(choice: string): Promise<Contender[]> {
  const all = choice === 'auto' ? await listAdapters() : [await findAdapter(choice)];
  return all.flatMap((found): Contender[] => {
    if (found.kind !== 'cpu') {
      const command = ours(found.name);
      return [{ name: found.name, command, isTorch: false }];
    }
    return threadCounts().map((threads) => ({
      name: `CPU target${threadsText(threads)}`,
      command: ours('cpu', threads),
      isTorch: false,
    }));
  });
}

/** PyTorch on one thread and on all, named with its version and the speed of its products; none where there is none. */
export async function torchContenders(): Promise<Contender[]> {
  const python = await findTorch();
  if (python === undefined) return [];
  const all: Contender[] = [];
  for (const threads of threadCounts()) {
    const command = torch(python, threads);
    const { rival, greeting } = await Rival.start(command);
    const { gflopPerS } = await rival.ask<{ readonly gflopPerS: number }>({ peak: true });
    await rival.end();
    const name = `${nameOf(greeting)} (matmul ${gflopPerS.toFixed(0)} GFLOP/s)`;
    all.push({ name, command, isTorch: true });
  }
  return all;
}

/** Everyone who competes; says what is missing. */
export async function contenders(choice: string): Promise<{ all: Contender[]; notes: string[] }> {
  const theirs = await torchContenders();
  return {
    all: [...(await ourContenders(choice)), ...theirs],
    notes: theirs.length === 0 ? [installTorch] : [],
  };
}

/** A rival in the middle of a training. */
interface Open {
  readonly contender: Contender;
  readonly rival: Rival;
  readonly opened: Opened;
  readonly steps: number;
  readonly samples: Sample[];
  /** Of its first steps, where it starts from written weights. */
  readonly losses: readonly number[];
}

/** Samples that everyone gives, however slow. */
const fewest = 2;

/** Time in which the threads of the rival before stop looking for work. */
const restMs = 50;

/** Samples before it is clear how long a step takes. */
const warmUps = 3;

/** An epoch that takes no longer than this is a sample: what its end costs, each step then bears a part of. */
const epochMs = 3000;

/** Steps on the first batch by which rivals that start from our weights are compared; and those of a slow one. */
const [checkedSteps, fewestChecked] = [10, 3];

/** Losses and samples of the first steps, all on the first batch. */
async function firstSteps(rival: Rival, { patienceMs }: Effort) {
  const [losses, samples]: [number[], Sample[]] = [[], []];
  while (losses.length < checkedSteps) {
    const { loss, ms, cpuMs } = await rival.ask<Trained>({ train: 1, first: 0 });
    losses.push(loss);
    samples.push({ ms, cpuMs });
    if (ms > patienceMs && losses.length >= fewestChecked) break;
  }
  return { losses, samples };
}

async function openRival(
  contender: Contender,
  sizes: TrainingSizes,
  effort: Effort,
  from?: string,
): Promise<Open> {
  const { rival } = await Rival.start(contender.command);
  try {
    const open = { ...sizes, fields: tokenFields(sizes.vocabulary), from };
    const opened = await rival.ask<Opened>({ open });
    const checked = from === undefined ? undefined : await firstSteps(rival, effort);
    const losses = checked?.losses ?? [];
    const slow = checked?.samples.at(-1);
    if (slow !== undefined && slow.ms > effort.patienceMs)
      return { contender, rival, opened, losses, steps: 1, samples: [slow] };
    // The first steps compile what is compiled late, and find memory, which is nothing in a step of seconds.
    const first = await rival.ask<Trained>({ train: 1 });
    if (first.ms > effort.patienceMs) return { contender, rival, opened, losses, steps: 1, samples: [first] };
    const stepsIn = (spanMs: number, ms: number) =>
      Math.max(1, Math.min(sizes.epochSteps, Math.round(spanMs / ms)));
    let { ms } = await rival.ask<Trained>({ train: 1 });
    for (let time = 0; time < warmUps; time++) {
      ({ ms } = await rival.ask<Trained>({ train: stepsIn(effort.sampleMs, ms) }));
    }
    const steps = stepsIn(ms * sizes.epochSteps <= epochMs ? epochMs : effort.sampleMs, ms);
    // Rows of a large table find the memory of their moments when they are first named.
    if (steps === sizes.epochSteps) await rival.ask<Trained>({ train: steps });
    return { contender, rival, opened, losses, steps, samples: [] };
  } catch (error) {
    await rival.end();
    throw error;
  }
}

async function openAll(
  all: readonly Contender[],
  sizes: TrainingSizes,
  effort: Effort,
  from?: string,
): Promise<{ open: Open[]; absent: Absence[] }> {
  const [open, absent]: [Open[], Absence[]] = [[], []];
  for (const contender of all) {
    try {
      const one = await openRival(contender, sizes, effort, from);
      open.push(one);
      if (from !== undefined) checkLosses(contender.name, open[0].losses, one.losses);
    } catch (error) {
      if (open.at(-1)?.contender === contender) await open.pop()?.rival.end();
      const shape = `${modelText(sizes)}, ${shapeText(sizes)}`;
      absent.push({ rival: contender.name, shape, why: (error as Error).message });
    }
  }
  return { open, absent };
}

/** Throws Error if rivals train different models. */
function checkSame(open: readonly Open[]): void {
  const [first, ...others] = open;
  const odd = others.find(({ opened }) => opened.parameters !== first.opened.parameters);
  if (odd === undefined) return;
  throw new Error(
    `rivals: ${first.contender.name} trains ${first.opened.parameters} parameters, ` +
      `${odd.contender.name} ${odd.opened.parameters}; make bench/torch_step.py the same model`,
  );
}

async function takeTurns(open: readonly Open[], { rounds, patienceMs }: Effort): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const { rival, steps, samples } of open) {
      const spentMs = samples.reduce((sum, { ms }) => sum + ms * steps, 0);
      if (samples.length >= fewest && spentMs > patienceMs) continue;
      const { ms, cpuMs } = await rival.ask<Trained>({ train: steps });
      samples.push({ ms, cpuMs });
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }
}

function rowsOf(open: readonly Open[], sizes: TrainingSizes): RivalRow[] {
  const ours = open[0].losses;
  const times = open.map(({ samples }) => timesOf(samples));
  const theirs = times.filter((_, i) => open[i].contender.isTorch).map(({ medianMs }) => medianMs);
  return open.map(({ contender, steps, losses }, i) => ({
    name: modelText(sizes),
    shape: shapeText(sizes),
    rival: contender.name,
    isTorch: contender.isTorch,
    steps,
    ...times[i],
    overTorch: theirs.length > 0 ? Math.min(...theirs) / times[i].medianMs : undefined,
    lossDifference: losses.length > 0 ? lossDifference(ours, losses) : undefined,
  }));
}

/**
 * Times one training on all rivals, each a process of its own, in turns. A step is all that training costs: batches in
 * an order of chance, gathered and joined, forward and backward pass, dense Adam or what equals it, the loss read back.
 * With `from`, a folder of weights and batches, everyone starts from these, and who has other losses than the first of
 * all is absent.
 */
export async function race(
  all: readonly Contender[],
  sizes: TrainingSizes,
  effort: Effort,
  from?: string,
): Promise<{ rivals: RivalRow[]; absent: Absence[] }> {
  const { open, absent } = await openAll(all, sizes, effort, from);
  try {
    if (open.length === 0) return { rivals: [], absent };
    checkSame(open);
    await takeTurns(open, effort);
    return { rivals: rowsOf(open, sizes), absent };
  } finally {
    await Promise.all(open.map(({ rival }) => rival.end()));
  }
}

/** Steps of an epoch of ml-1m's size. */
const epochSteps = 196;

export const training = (
  model: string,
  classes: number,
  vocabulary = 12_000,
  options = {},
): TrainingSizes => ({
  ...{ model, classes, batch: 4096, vocabulary, embeddingSize: 16, epochSteps },
  options,
});

const wide = { mlp_hidden_size: [512, 512, 512] };

/** The trainings that are compared by default: of one vocabulary for all, and of a large one where tables decide. */
export const usualTrainings: readonly TrainingSizes[] = [
  ...['LR', 'FM', 'NFM'].flatMap((model) => [1, 5].map((classes) => training(model, classes))),
  ...[1, 5].map((classes) => training('NFM', classes, 12_000, wide)),
  training('NFM', 5, 12_000, { ...wide, dropout_prob: 0.5 }),
  ...['LR', 'FM', 'NFM'].map((model) => training(model, 1, 1_000_000)),
];
