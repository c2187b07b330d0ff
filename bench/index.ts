/**
 * Measures kernels and whole training steps on an adapter, trainings and starts beside other adapters and PyTorch,
 * loading beside pandas, and epochs with their evaluation and memory.
 *
 *   npm run bench [-- kernels|step|rivals|start|load|epoch] [--json=FILE] [--adapter=auto|gpu|software|cpu|NAME] [--threads=N]
 */
import { writeFileSync } from 'node:fs';
import { formatProfile, type Device } from '../engine/index.js';
import { benchDevice } from './device.js';
import { benchEpoch, usualEffort, usualEpoch } from './epoch.js';
import { benchKernels } from './kernels.js';
import { usualSizes } from './kernels/op_case.js';
import { benchLoads, installPandas, usualLoad } from './load.js';
import { measurePeaks, type Peaks } from './peaks.js';
import {
  formatEpoch,
  formatKernels,
  formatLoads,
  formatRivals,
  formatRows,
  formatStarts,
  formatSteps,
  rowOf,
  type Report,
  type StepRow,
} from './report.js';
import { contenders, race, usualTrainings, type Absence, type RivalRow } from './rivals.js';
import { benchStarts } from './start.js';
import { benchStep, modelText, shapeText, usualSteps } from './step.js';

interface Choice {
  readonly parts: readonly string[];
  readonly adapter: string;
  /** Of the CPU target; rivals run on one and on all. */
  readonly threads?: number;
  /** Part of the names of the rivals' trainings. */
  readonly only: string;
  readonly json?: string;
}

const usage =
  'usage: npm run bench [-- kernels|step|rivals|start|load|epoch] [--json=FILE] [--adapter=auto|gpu|software|cpu|NAME] ' +
  '[--threads=N] [--only=PART OF A RIVALS’ TRAINING]';

function choiceOf(args: readonly string[]): Choice {
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const known = (arg: string) =>
    ['kernels', 'step', 'rivals', 'start', 'load', 'epoch'].includes(arg) ||
    /^--(json|adapter|only)=.|^--threads=\d+$/.test(arg);
  const unknown = args.find((arg) => !known(arg));
  if (unknown !== undefined) throw new Error(`bench: ${unknown} is no choice; ${usage}`);
  const parts = args.filter((arg) => !arg.startsWith('--'));
  const threads = flag('threads');
  return {
    parts: parts.length > 0 ? parts : ['kernels', 'step'],
    adapter: flag('adapter') ?? 'auto',
    threads: threads === undefined ? undefined : Number(threads),
    only: flag('only') ?? '',
    json: flag('json'),
  };
}

const kernelEffort = { sampleMs: 20, rounds: 10, patienceMs: 500 };
const stepEffort = { sampleMs: 120, rounds: 10, patienceMs: 2000 };
const rivalEffort = { sampleMs: 200, rounds: 7, patienceMs: 4000 };
const startTries = 5;
const loadTries = 7;

async function benchSteps(device: Device, peaks: Peaks): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  for (const sizes of usualSteps) {
    rows.push(await benchStep(device, sizes, peaks, stepEffort));
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  return rows;
}

function printProfile({ name, shape, kernels }: StepRow): void {
  if (kernels === undefined) console.log('\nThe adapter has no timestamps: no time of single kernels.');
  else
    console.log(
      `\n${name}, ${shape}, by timestamps (each kernel waits for the one before):\n${formatProfile(kernels)}`,
    );
}

/** What one device does by itself. */
async function benchAlone({ parts, adapter, threads }: Choice): Promise<Partial<Report>> {
  const device = await benchDevice(adapter, threads);
  console.log(`${device.name} (${device.kind})`);
  const { timed, peaks } = await measurePeaks(device, { ...kernelEffort, sampleMs: 50 });
  const plain = timed.map((one) => rowOf(one, peaks));
  console.log(
    'Times of one repetition in a submit of many; rates and fractions are those of the shortest sample.\n',
  );
  console.log(formatRows(plain));
  const has = (part: string) => parts.includes(part);
  const kernels = has('kernels') ? await benchKernels(device, usualSizes, peaks, kernelEffort) : [];
  if (has('kernels')) console.log(`\n${formatKernels(kernels)}`);
  const steps = has('step') ? await benchSteps(device, peaks) : [];
  if (has('step')) {
    console.log(`\n${formatSteps(steps)}`);
    printProfile(steps[0]);
  }
  device.destroy();
  return { device: device.name, kind: device.kind, peaks, plain, kernels, steps };
}

/** Trainings on every adapter and in PyTorch; minutes, so that each is said when it is done. */
async function benchRivals({ adapter, only }: Choice): Promise<Pick<Report, 'rivals' | 'absent'>> {
  const { all, notes } = await contenders(adapter);
  for (const note of notes) console.log(note);
  console.log('Everything that a step of training costs, in turns, each rival a process of its own.\n');
  const [rivals, absent]: [RivalRow[], Absence[]] = [[], []];
  for (const sizes of usualTrainings) {
    const name = `${modelText(sizes)}, ${shapeText(sizes)}`;
    if (!name.includes(only)) continue;
    const result = await race(all, sizes, rivalEffort);
    process.stderr.write(`done: ${name}\n`);
    rivals.push(...result.rows);
    absent.push(...result.absent);
  }
  console.log(formatRivals(rivals));
  for (const { rival, shape, why } of absent) console.log(`${rival}, ${shape}: ${why}`);
  return { rivals, absent };
}

async function main(args: readonly string[]): Promise<void> {
  const choice = choiceOf(args);
  const has = (...parts: readonly string[]) => parts.some((part) => choice.parts.includes(part));
  const alone = has('kernels', 'step') ? await benchAlone(choice) : {};
  const compared = has('rivals') ? await benchRivals(choice) : {};
  const starts = has('start') ? await benchStarts(choice.adapter, 'FM', startTries) : [];
  if (has('start')) console.log(`\n${formatStarts(starts)}`);
  const loads = has('load') ? await benchLoads(usualLoad, loadTries) : [];
  if (has('load')) {
    console.log(`\n${formatLoads(loads)}`);
    if (loads.some(({ overPandas }) => overPandas === undefined)) console.log(installPandas);
  }
  const epochs = has('epoch') ? [await benchEpoch(usualEpoch, choice, usualEffort)] : [];
  for (const row of epochs) console.log(`\n${row.adapter}\n${formatEpoch(row)}`);
  const none = { plain: [], kernels: [], steps: [], rivals: [], absent: [] };
  const report: Report = { ...none, ...alone, ...compared, starts, loads, epochs };
  if (choice.json !== undefined) writeFileSync(choice.json, `${JSON.stringify(report, null, 1)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
