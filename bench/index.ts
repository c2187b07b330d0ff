/**
 * Measures kernels and whole training steps on an adapter, trainings and starts beside other adapters, PyTorch (models: all
 * that the paper trains) and JavaScript's engines (js), loading beside pandas, and epochs with evaluation and memory.
 *
 *   npm run bench [-- kernels|step|rivals|models|js|start|load|epoch] [--json=FILE] [--adapter=NAME] [--threads=N]
 */
import { writeFileSync } from 'node:fs';
import { formatProfile, type Device } from '../engine/index.js';
import { benchDevice } from './device.js';
import { benchEpoch, usualEffort, usualEpoch } from './epoch.js';
import { benchKernels } from './kernels.js';
import { usualSizes } from './kernels/op_case.js';
import { benchLoads, installPandas, usualLoad } from './load.js';
import { measurePeaks, type Peaks } from './peaks.js';
import { benchRaces, racedParts, type Compared } from './races.js';
import {
  formatEpoch,
  formatKernels,
  formatLoads,
  formatRows,
  formatStarts,
  formatSteps,
  rowOf,
  type Report,
  type StepRow,
} from './report.js';
import { benchStarts } from './start.js';
import { benchStep, usualSteps } from './step.js';

interface Choice {
  readonly parts: readonly string[];
  readonly adapter: string;
  /** Of the CPU target; rivals run on one and on all. */
  readonly threads?: number;
  /** Part of the names of the trainings of rivals and models. */
  readonly only: string;
  readonly json?: string;
}

const usage =
  'usage: npm run bench [-- kernels|step|rivals|models|js|start|load|epoch] [--json=FILE] ' +
  '[--adapter=auto|gpu|software|cpu|NAME] [--threads=N] [--only=PART OF A TRAINING]';

function choiceOf(args: readonly string[]): Choice {
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const known = (arg: string) =>
    ['kernels', 'step', 'rivals', 'models', 'js', 'start', 'load', 'epoch'].includes(arg) ||
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

async function main(args: readonly string[]): Promise<void> {
  const choice = choiceOf(args);
  const has = (...parts: readonly string[]) => parts.some((part) => choice.parts.includes(part));
  const alone = has('kernels', 'step') ? await benchAlone(choice) : {};
  const compared: Compared[] = [];
  for (const part of racedParts.filter((one) => has(one))) compared.push(await benchRaces(part, choice));
  const starts = has('start') ? await benchStarts(choice.adapter, 'FM', startTries) : [];
  if (has('start')) console.log(`\n${formatStarts(starts)}`);
  const loads = has('load') ? await benchLoads(usualLoad, loadTries) : [];
  if (has('load')) {
    console.log(`\n${formatLoads(loads)}`);
    if (loads.some(({ overPandas }) => overPandas === undefined)) console.log(installPandas);
  }
  const epochs = has('epoch') ? [await benchEpoch(usualEpoch, choice, usualEffort)] : [];
  for (const row of epochs) console.log(`\n${row.adapter}\n${formatEpoch(row)}`);
  const none = { plain: [], kernels: [], steps: [] };
  const rivals = compared.flatMap((one) => one.rivals);
  const absent = compared.flatMap((one) => one.absent);
  const report: Report = { ...none, ...alone, rivals, absent, starts, loads, epochs };
  if (choice.json !== undefined) writeFileSync(choice.json, `${JSON.stringify(report, null, 1)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
