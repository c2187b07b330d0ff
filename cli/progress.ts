import { printLine, type Severity } from './logger.js';

/** How progress is shown: a bar that redraws itself, a plain line now and then, or not at all. */
export type ProgressMode = 'bar' | 'lines' | 'none';

/** Where progress is drawn; a terminal, a pipe, or a test's stand-in. */
export type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What a progress display needs to know. */
export interface ProgressOptions {
  readonly mode: ProgressMode;
  /** Default stderr, so that stdout holds only lines worth keeping. */
  readonly stream?: ProgressStream;
  /** At most one plain line in this many milliseconds. */
  readonly lineMs?: number;
  /** What is counted, for the rate; null shows none. Default examples. */
  readonly unit?: string | null;
  /** Milliseconds, for tests; default the monotonic clock. */
  readonly now?: () => number;
}

/** Shows how far a pass over the data has come. */
export interface Progress {
  /** A pass of `total` rows begins, e.g. `train epoch 3`. */
  begin(title: string, total: number): void;
  /** `done` rows of the pass are done; `loss` is the mean loss so far, if known. */
  update(done: number, loss?: number): void;
  /** The pass is over; a bar disappears. */
  end(): void;
  /** Prints a line without tearing the bar; fits `LoggerOptions.print`. */
  print(line: string, severity: Severity): void;
}

/** Bars need a terminal; without one a pipe or a file gets plain lines. */
export function progressMode(
  options: { readonly quiet: boolean; readonly show_progress: boolean },
  stream: ProgressStream = process.stderr,
): ProgressMode {
  if (options.quiet || !options.show_progress) return 'none';
  return stream.isTTY === true && process.stdout.isTTY === true ? 'bar' : 'lines';
}

/** A number of seconds for people: 8 s, 3 min 20 s, 2 h 5 min. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A rate with three digits: 871, 12.3k, 1.05M. */
export function rateText(perSecond: number): string {
  if (perSecond >= 999_500) return `${(perSecond / 1e6).toPrecision(3)}M`;
  if (perSecond >= 999.5) return `${(perSecond / 1e3).toPrecision(3)}k`;
  return String(Math.round(perSecond));
}

interface Pass {
  readonly title: string;
  readonly total: number;
  readonly startedMs: number;
  readonly done: number;
  readonly loss: number | undefined;
  readonly unit: string | null;
}

/** What is known of a pass: loss, examples a second, time left. */
function facts({ total, startedMs, done, loss, unit }: Pass, nowMs: number): string {
  const seconds = (nowMs - startedMs) / 1000;
  const parts = loss === undefined ? [] : [`loss ${loss.toFixed(4)}`];
  if (done > 0 && seconds > 0) {
    const rate = done / seconds;
    if (unit !== null) parts.push(`${rateText(rate)} ${unit}/s`);
    parts.push(`${durationText((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

function percentage({ done, total }: Pass): number {
  return total === 0 ? 100 : Math.floor((100 * Math.min(done, total)) / total);
}

const silent: Progress = { begin() {}, update() {}, end() {}, print: printLine };

function plainLines(
  stream: ProgressStream,
  lineMs: number,
  now: () => number,
  unit: string | null,
): Progress {
  let pass: Pass | null = null;
  let printedMs = 0;
  return {
    ...silent,
    begin(title, total) {
      pass = { title, total, startedMs: now(), done: 0, loss: undefined, unit };
      printedMs = pass.startedMs;
    },
    update(done, loss) {
      if (pass === null) return;
      pass = { ...pass, done, loss: loss ?? pass.loss };
      const nowMs = now();
      if (nowMs - printedMs < lineMs || done >= pass.total) return;
      printedMs = nowMs;
      stream.write(`${pass.title}: ${percentage(pass)} %, ${facts(pass, nowMs)}\n`);
    },
    end() {
      pass = null;
    },
  };
}

// What stands beside the bar: a title like `train epoch 123`, the percentage and the facts.
const textColumns = 74;

/** cli-progress is loaded only where a bar is drawn. */
async function drawnBar(stream: ProgressStream, now: () => number, unit: string | null): Promise<Progress> {
  const { SingleBar } = (await import('cli-progress')).default;
  const barsize = Math.max(4, Math.min(24, (stream.columns ?? 80) - textColumns));
  let pass: Pass | null = null;
  let bar: InstanceType<typeof SingleBar> | null = null;
  const draw = () => {
    if (pass === null) return;
    const format = '{title} |{bar}| {percentage} % {facts}';
    // gracefulExit would take Ctrl-C away from the command; linewrap off would outlive a process that is
    // killed.
    bar = new SingleBar({
      format,
      stream,
      barsize,
      clearOnComplete: true,
      gracefulExit: false,
      linewrap: true,
    });
    bar.start(pass.total, Math.min(pass.done, pass.total), { title: pass.title, facts: facts(pass, now()) });
  };
  const clear = () => {
    bar?.stop();
    bar = null;
  };
  return {
    begin(title, total) {
      clear();
      pass = { title, total, startedMs: now(), done: 0, loss: undefined, unit };
      draw();
    },
    update(done, loss) {
      if (pass === null) return;
      pass = { ...pass, done, loss: loss ?? pass.loss };
      bar?.update(Math.min(done, pass.total), { facts: facts(pass, now()) });
    },
    end() {
      clear();
      pass = null;
    },
    print(line, severity) {
      // A stopped bar leaves the cursor where it was drawn, so the line takes its place and the bar moves
      // down.
      clear();
      printLine(line, severity);
      draw();
    },
  };
}

/** Makes the display for a mode; `none` still prints lines. */
export async function openProgress(options: ProgressOptions): Promise<Progress> {
  const { mode, stream = process.stderr, lineMs = 10_000, unit = 'examples' } = options;
  const { now = () => performance.now() } = options;
  if (mode === 'none') return silent;
  return mode === 'lines' ? plainLines(stream, lineMs, now, unit) : drawnBar(stream, now, unit);
}
