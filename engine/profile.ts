import { DeviceError, type CommandTime } from './device.js';
import type { Plan } from './plan.js';

/** When a dispatch ran, from the start of its step. */
export interface DispatchTime {
  /** The op or optimizer that it is done for. */
  readonly op: string;
  readonly entry: string;
  readonly startNs: number;
  readonly endNs: number;
}

/** What all dispatches of a kernel took together. */
export interface KernelTime {
  readonly op: string;
  readonly entry: string;
  readonly calls: number;
  readonly totalMs: number;
  /** Of the time in all kernels, 0…1. */
  readonly share: number;
  readonly meanUs: number;
}

/** An event of Chrome's trace format: a span ('X', times in µs) or a name ('M'). */
export type TraceEvent =
  | {
      readonly ph: 'X';
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
      readonly args: { readonly step: number; readonly dispatch: number };
    }
  | {
      readonly ph: 'M';
      readonly name: 'process_name' | 'thread_name';
      readonly pid: number;
      readonly tid: number;
      readonly args: { readonly name: string };
    };

/** A trace in the JSON object format, for chrome://tracing and ui.perfetto.dev. */
export interface ChromeTrace {
  readonly displayTimeUnit: 'ms' | 'ns';
  readonly otherData: Readonly<Record<string, string | number>>;
  readonly traceEvents: readonly TraceEvent[];
}

const dispatchTime = ({ op, command, startNs, endNs }: CommandTime & { readonly op: string }) => ({
  op,
  entry: command.kernel.entry,
  startNs,
  endNs,
});

/**
 * Trains `steps` steps of `plan` with a time for every dispatch: a list for each step. `device` is its name. Throws
 * DeviceError where the adapter measures no time.
 */
export async function profileSteps(
  plan: Pick<Plan, 'profile'>,
  steps: number,
  device: string,
): Promise<DispatchTime[][]> {
  const times: DispatchTime[][] = [];
  for (let step = 0; step < steps; step++) {
    const dispatches = await plan.profile();
    if (dispatches === undefined) {
      throw new DeviceError(
        `profile: ${device} has no timestamp-query, so kernels cannot be timed; choose another --adapter`,
      );
    }
    times.push(dispatches.map(dispatchTime));
  }
  return times;
}

/** One row per kernel, the one that took longest first. */
export function profileTable(steps: readonly (readonly DispatchTime[])[]): KernelTime[] {
  const sums = new Map<string, { op: string; entry: string; calls: number; ns: number }>();
  for (const { op, entry, startNs, endNs } of steps.flat()) {
    const key = `${op} ${entry}`;
    const sum = sums.get(key) ?? { op, entry, calls: 0, ns: 0 };
    sums.set(key, { op, entry, calls: sum.calls + 1, ns: sum.ns + endNs - startNs });
  }
  const all = [...sums.values()].sort((a, b) => b.ns - a.ns);
  const totalNs = all.reduce((sum, { ns }) => sum + ns, 0);
  return all.map(({ op, entry, calls, ns }) => ({
    op,
    entry,
    calls,
    totalMs: ns / 1e6,
    share: totalNs > 0 ? ns / totalNs : 0,
    meanUs: ns / 1e3 / calls,
  }));
}

/** The table as text, one line per kernel under a header and above the sum. */
export function formatProfile(rows: readonly KernelTime[]): string {
  const cells = rows.map(({ op, entry, calls, totalMs, share, meanUs }) => [
    op,
    entry,
    String(calls),
    totalMs.toFixed(3),
    `${(100 * share).toFixed(1)} %`,
    meanUs.toFixed(1),
  ]);
  const sum = (key: 'calls' | 'totalMs') => rows.reduce((total, row) => total + row[key], 0);
  const lines = [
    ['op', 'entry', 'calls', 'total ms', 'share', 'mean µs'],
    ...cells,
    ['all', '', String(sum('calls')), sum('totalMs').toFixed(3), '', ''],
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** One complete event per dispatch, the steps one after another. `device` and `title` are shown as names. */
export function chromeTrace(
  steps: readonly (readonly DispatchTime[])[],
  device: string,
  title: string,
): ChromeTrace {
  const place = { pid: 1, tid: 1 };
  const spans: TraceEvent[] = [];
  let originNs = 0;
  steps.forEach((dispatches, step) => {
    dispatches.forEach(({ op, entry, startNs, endNs }, dispatch) => {
      const span = { ts: (originNs + startNs) / 1e3, dur: (endNs - startNs) / 1e3 };
      spans.push({ ph: 'X', name: entry, cat: op, ...place, ...span, args: { step, dispatch } });
    });
    originNs += Math.max(0, ...dispatches.map(({ endNs }) => endNs));
  });
  return {
    displayTimeUnit: 'ns',
    otherData: { device, steps: steps.length },
    traceEvents: [
      { ph: 'M', name: 'process_name', ...place, args: { name: device } },
      { ph: 'M', name: 'thread_name', ...place, args: { name: title } },
      ...spans,
    ],
  };
}
