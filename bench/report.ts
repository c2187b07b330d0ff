import type { Device, KernelTime } from '../engine/index.js';
import type { EpochRow } from './epoch.js';
import type { LoadRow } from './load.js';
import type { Timed } from './measure.js';
import type { Peaks } from './peaks.js';
import type { Absence, RivalRow } from './rivals.js';
import type { StartRow } from './start.js';

/** A measurement as it is printed and written. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Of all threads of the process: see Times. */
  readonly cpuMs: number;
  /** Of the shortest time, as the peaks are. */
  readonly gbPerS: number;
  readonly gflopPerS: number;
  /** The time that copying its bytes, or its arithmetic, takes at the adapter's peak, over the shortest time. */
  readonly ofPeak: number;
}

/** A kernel beside a plain copy of as many bytes. */
export interface KernelRow extends Row {
  /** How much of its time a plain copy of as many bytes takes, shortest samples of turns taken together. */
  readonly ofCopy: number;
  /** GFLOP/s of the time that threads computed: on the CPU target, those of a thread. */
  readonly gflopPerThread: number;
  /** On the CPU target, the work a thread does beside that of a loop of its kind written by hand: see roofs.ts. */
  readonly ofRoof?: number;
}

/** A training step with what it consists of. */
export interface StepRow extends Row {
  readonly dispatches: number;
  readonly namedRows: number;
  readonly activationBytes: number;
  /** Milliseconds of the host a step, beside the device. */
  readonly feedMs: number;
  /** Times as long as a plain copy of as many bytes, medians of samples taken in turns. */
  readonly ofCopy: number;
  readonly kernels?: readonly KernelTime[];
}

/** Everything that one run found. */
export interface Report {
  readonly device?: string;
  readonly kind?: Device['kind'];
  readonly peaks?: Peaks;
  readonly plain: readonly Row[];
  readonly kernels: readonly KernelRow[];
  readonly steps: readonly StepRow[];
  readonly rivals: readonly RivalRow[];
  readonly absent: readonly Absence[];
  readonly starts: readonly StartRow[];
  readonly loads: readonly LoadRow[];
  readonly epochs: readonly EpochRow[];
}

/** Rates and the fraction of the peaks. */
export function rowOf({ candidate, ...times }: Timed, { copyGBs, fmaGFlops }: Peaks): Row {
  const { name, shape, bytes, flops } = candidate;
  const bestMs = Math.max(bytes / 1e6 / copyGBs, flops / 1e6 / fmaGFlops);
  return {
    name,
    shape,
    ...times,
    gbPerS: bytes / 1e6 / times.minMs,
    gflopPerS: flops / 1e6 / times.minMs,
    ofPeak: bestMs / times.minMs,
  };
}

const number = (value: number, digits: number) => (value === 0 ? '' : value.toFixed(digits));

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** Lines of columns under a header: `left` columns of words, the rest numbers. */
export function table(
  header: readonly string[],
  lines: readonly (readonly string[])[],
  left: number,
): string {
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => [...line[column]].length)));
  const pad = (cell: string, column: number) =>
    column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

const cells = ({ name, shape, minMs, medianMs, p95Ms, cpuMs, gbPerS, gflopPerS, ofPeak }: Row) => [
  name,
  shape,
  minMs.toFixed(3),
  medianMs.toFixed(3),
  p95Ms.toFixed(3),
  cpuMs.toFixed(3),
  number(gbPerS, 2),
  number(gflopPerS, 2),
  percent(ofPeak),
];

const header = ['', '', 'min ms', 'median', 'p95', 'cpu ms', 'GB/s', 'GFLOP/s', 'of peak'];

/** Measurements as text. */
export const formatRows = (rows: readonly Row[]): string => table(header, rows.map(cells), 2);

/** Kernels as text. */
export function formatKernels(rows: readonly KernelRow[]): string {
  const beside = rows.some(({ ofRoof }) => ofRoof !== undefined);
  const roofOf = ({ ofRoof }: KernelRow) => (ofRoof === undefined ? '' : percent(ofRoof));
  return table(
    [...header, 'a thread', 'of copy', ...(beside ? ['of hand-written'] : [])],
    rows.map((row) => [
      ...cells(row),
      number(row.gflopPerThread, 1),
      percent(row.ofCopy),
      ...(beside ? [roofOf(row)] : []),
    ]),
    2,
  );
}

/** Steps as text. */
export const formatSteps = (rows: readonly StepRow[]): string =>
  table(
    [...header, '× copy', 'feed ms', 'kernels', 'rows'],
    rows.map((row) => [
      ...cells(row),
      row.ofCopy.toFixed(1),
      row.feedMs.toFixed(2),
      String(row.dispatches),
      String(row.namedRows),
    ]),
    2,
  );

/** Trainings of rivals as text, a block for each training. */
export function formatRivals(rows: readonly RivalRow[]): string {
  const training = ({ name, shape }: RivalRow) => `${name}, ${shape}`;
  const lines = rows.map((row, i) => {
    const same = rows.filter((one) => training(one) === training(row));
    const fastest = Math.min(...same.map(({ medianMs }) => medianMs));
    return [
      i > 0 && training(rows[i - 1]) === training(row) ? '' : training(row),
      row.rival,
      row.minMs.toFixed(2),
      row.medianMs.toFixed(2),
      row.cpuMs.toFixed(2),
      (row.medianMs / fastest).toFixed(1),
      row.overTorch === undefined ? '' : row.overTorch.toFixed(row.overTorch < 10 ? 2 : 1),
    ];
  });
  return table(['training step', '', 'min ms', 'median', 'cpu ms', '÷ fastest', '× PyTorch'], lines, 2);
}

/** Starts as text. */
export const formatStarts = (rows: readonly StartRow[]): string =>
  table(
    ['start to the end of the first step', 'ms', 'median', 'modules', 'device', 'compiling', 'step'],
    rows.map(({ name, ms, medianMs, parts }) => [
      name,
      ...[ms, medianMs, parts?.modules, parts?.device, parts?.compiling, parts?.step].map(
        (value) => value?.toFixed(0) ?? '',
      ),
    ]),
    1,
  );

/** Loads as text. */
export const formatLoads = (rows: readonly LoadRow[]): string =>
  table(
    ['loading', '', 'min ms', 'median', 'cpu ms', '× pandas'],
    rows.map(({ name, shape, minMs, medianMs, cpuMs, overPandas }) => [
      name,
      shape,
      ...[minMs, medianMs, cpuMs].map((ms) => ms.toFixed(0)),
      overPandas?.toFixed(1) ?? '',
    ]),
    2,
  );

const bytesText = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** An epoch from files to metrics, and its memory, as text. */
export function formatEpoch(row: EpochRow): string {
  const ms = (value: number) => value.toFixed(0);
  const { held, overTorch, cpuOverTorch, samples } = row;
  const lines = [
    ['files to columns of ids', ms(row.dataMs)],
    ['device and compiling', ms(row.openMs)],
    ['first epoch, steps and evaluation', ms(row.firstMs)],
    ['an epoch: steps', ms(row.trainMs)],
    ['an epoch: scores and metrics of the valid part', ms(row.validMs)],
    ['an epoch: both', ms(row.epochMs)],
    ['scores and AUC of all rows', ms(row.allMs)],
  ];
  const last = samples.at(-1)?.step.toLocaleString('en-US') ?? 'no';
  return [
    table([`${row.name}, ${row.shape}`, 'median ms'], lines, 1),
    `scores and AUC take ${percent(row.allOfTraining)} of the time of training the same rows`,
    ...(overTorch === undefined
      ? []
      : [
          `PyTorch’s steps alone take ${overTorch.toFixed(1)} times our epoch, and ` +
            `${cpuOverTorch?.toFixed(1)} times the ${ms(row.cpuMs)} ms that all its threads compute`,
        ]),
    `memory: peak ${bytesText(row.peakBytes)}, grown by ${bytesText(row.grownBytes)} from step 1,000 to ${last}; ` +
      `parameters ${bytesText(held.parameters)}, optimizer ${bytesText(held.optimizer)}, ` +
      `activations ${bytesText(held.activations)}`,
  ].join('\n');
}
