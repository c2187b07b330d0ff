import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from './errors.js';

/** Severities as RecBole's `state` names them, least severe first. */
export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

const severities: readonly Severity[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** One event of a run: names and numbers, as they go to metrics.jsonl. */
export type MetricsRecord = Readonly<Record<string, unknown>>;

/** What a logger needs to know. */
export interface LoggerOptions {
  /** Folder of run.log and metrics.jsonl; null writes no files. */
  readonly folder: string | null;
  /** Least severe lines that are shown; the file takes INFO and above in any case. */
  readonly state: Severity;
  /** Shows results and what goes wrong, nothing else. */
  readonly quiet: boolean;
  /** Prints a line on the console; by default results and news on stdout, the rest on stderr. */
  readonly print?: (line: string, severity: Severity) => void;
}

/**
 * Lines for the console and run.log, records for metrics.jsonl. Everything is on the disk when a call
 * returns.
 */
export interface Logger {
  debug(line: string): void;
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
  /** What the user ran the command for: shown with --quiet too. */
  result(line: string): void;
  /** Appends one JSON line, the time first. */
  metrics(record: MetricsRecord): void;
  /** Keeps why the run ends in run.log alone: whoever runs the command prints it. Never throws. */
  fatal(text: string): void;
  destroy(): void;
}

/** Prints warnings and errors on stderr, everything else on stdout. */
export function printLine(line: string, severity: Severity): void {
  const stream = severities.indexOf(severity) > severities.indexOf('INFO') ? process.stderr : process.stdout;
  stream.write(`${line}\n`);
}

interface LineFile {
  append(line: string): void;
  close(): void;
}

/** Opens a file to go on with; the start of a line that a crash or a full disk cut short is taken away. */
function openLines(path: string): LineFile {
  const file = openSync(path, 'a');
  const { size } = fstatSync(file);
  const whole = size === 0 ? 0 : readFileSync(path).lastIndexOf('\n') + 1;
  if (whole < size) ftruncateSync(file, whole);
  return {
    append(line) {
      try {
        writeSync(file, `${line}\n`);
      } catch (error) {
        // A failed write to an open file names no path.
        if (isSystemError(error)) error.path = path;
        throw error;
      }
    },
    close: () => closeSync(file),
  };
}

const stamped = (severity: Severity, text: string) => `${new Date().toISOString()} ${severity} ${text}`;

/** JSON has no NaN and no infinities; null would hide which of them it was. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** Opens a run's log. Throws the system's error if the folder cannot be written. */
export function openLogger({ folder, state, quiet, print = printLine }: LoggerOptions): Logger {
  const log = folder === null ? null : openLines(join(folder, 'run.log'));
  const records = folder === null ? null : openLines(join(folder, 'metrics.jsonl'));
  const shown = severities.indexOf(quiet && (state === 'INFO' || state === 'DEBUG') ? 'WARNING' : state);
  const kept = Math.min(severities.indexOf(state), severities.indexOf('INFO'));
  const write = (severity: Severity, line: string, always = false) => {
    const rank = severities.indexOf(severity);
    if (rank >= kept) log?.append(stamped(severity, line));
    if (always || rank >= shown) print(line, severity);
  };
  return {
    debug: (line) => write('DEBUG', line),
    info: (line) => write('INFO', line),
    warning: (line) => write('WARNING', line),
    error: (line) => write('ERROR', line),
    result: (line) => write('INFO', line, true),
    metrics: (record) =>
      records?.append(JSON.stringify({ time: new Date().toISOString(), ...record }, finite)),
    fatal(text) {
      try {
        log?.append(stamped('CRITICAL', text));
      } catch {
        // A full disk may be the very reason, and that is what the user is to be told.
      }
    },
    destroy() {
      log?.close();
      records?.close();
    },
  };
}

/** RecBole's line after an epoch; several losses are the parts of one. */
export function trainingLine(
  epoch: number,
  seconds: number,
  losses: number | readonly number[],
  decimals: number,
): string {
  const parts =
    typeof losses === 'number'
      ? `train loss: ${losses.toFixed(decimals)}`
      : losses.map((loss, i) => `train_loss${i + 1}: ${loss.toFixed(decimals)}`).join(', ');
  return `epoch ${epoch} training [time: ${seconds.toFixed(2)}s, ${parts}]`;
}

/** RecBole's line after an evaluation. */
export function evaluatingLine(epoch: number, seconds: number, score: number): string {
  return `epoch ${epoch} evaluating [time: ${seconds.toFixed(2)}s, valid_score: ${score.toFixed(6)}]`;
}

/** Metrics in RecBole's manner: `valid result: auc : 0.7831    logloss : 0.5612`. */
export function resultLine(
  title: string,
  metrics: Readonly<Record<string, number>>,
  decimals: number,
): string {
  const parts = Object.entries(metrics).map(
    ([name, value]) => `${name.toLowerCase()} : ${value.toFixed(decimals)}`,
  );
  return `${title}: ${parts.join('    ')}`;
}
