/**
 * Measures kernels and whole training steps.
 *
 *   npm run bench [-- kernels|step] [--json=FILE] [--adapter=auto|gpu|software|cpu|NAME] [--threads=N]
 */
import { writeFileSync } from 'node:fs';
import { formatProfile, type Device } from '../engine/index.js';
import { benchDevice } from './device.js';
import { benchKernels, usualSizes } from './kernels.js';
import { measurePeaks, type Peaks } from './peaks.js';
import { formatKernels, formatRows, formatSteps, rowOf, type Report, type StepRow } from './report.js';
import { benchStep, usualSteps } from './step.js';

interface Choice {
  readonly parts: readonly string[];
  readonly adapter: string;
  /** Of the CPU target. */
  readonly threads?: number;
  readonly json?: string;
}

const usage =
  'usage: npm run bench [-- kernels|step] [--json=FILE] [--adapter=auto|gpu|software|cpu|NAME] [--threads=N]';

function choiceOf(args: readonly string[]): Choice {
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const known = (arg: string) =>
    ['kernels', 'step'].includes(arg) || /^--(json|adapter)=.|^--threads=\d+$/.test(arg);
  const unknown = args.find((arg) => !known(arg));
  if (unknown !== undefined) throw new Error(`bench: ${unknown} is no choice; ${usage}`);
  const parts = args.filter((arg) => !arg.startsWith('--'));
  const threads = flag('threads');
  return {
    parts: parts.length > 0 ? parts : ['kernels', 'step'],
    adapter: flag('adapter') ?? 'auto',
    threads: threads === undefined ? undefined : Number(threads),
    json: flag('json'),
  };
}

const kernelEffort = { sampleMs: 20, rounds: 10, patienceMs: 500 };
const stepEffort = { sampleMs: 120, rounds: 10, patienceMs: 2000 };

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

async function main(args: readonly string[]): Promise<void> {
  const { parts, adapter, threads, json } = choiceOf(args);
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
  const report: Report = { device: device.name, kind: device.kind, peaks, plain, kernels, steps };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  device.destroy();
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
