import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Times } from './measure.js';
import { table, type Report } from './report.js';

/** A report as it may be in a file: an older one has fewer parts. */
export type WrittenReport = Partial<Report>;

/** Something that two reports measured: times of the new one over those of the old one. */
export interface Change {
  /** Which part of the report: kernels, steps, … */
  readonly part: string;
  readonly name: string;
  readonly oldMs: number;
  readonly newMs: number;
  /** Ratios of minima and of medians. */
  readonly min: number;
  readonly median: number;
  readonly verdict: 'slower' | 'faster' | '';
}

/** Two reports side by side. */
export interface Comparison {
  readonly changes: readonly Change[];
  /** What only one of the reports has: `part: name`. */
  readonly gone: readonly string[];
  readonly added: readonly string[];
}

type Spans = Pick<Times, 'minMs' | 'medianMs'>;

/** What a report measured, by part and name; what has the same name twice is numbered. */
function measurements(report: WrittenReport): ReadonlyMap<string, Spans> {
  const { plain = [], kernels = [], steps = [], rivals = [], starts = [], loads = [] } = report;
  const rows = Object.entries({ plain, kernels, steps, loads }).flatMap(([part, list]) =>
    list.map((row): [string, string, Spans] => [part, `${row.name}, ${row.shape}`, row]),
  );
  rows.push(
    ...rivals.map((row): [string, string, Spans] => [
      'rivals',
      `${row.name}, ${row.shape}, ${row.rival}`,
      row,
    ]),
  );
  rows.push(
    ...starts.map(({ name, ms, medianMs }): [string, string, Spans] => [
      'starts',
      name,
      { minMs: ms, medianMs },
    ]),
  );
  const found = new Map<string, Spans>();
  for (const [part, name, { minMs, medianMs }] of rows) {
    let key = `${part}: ${name}`;
    for (let i = 2; found.has(key); i++) key = `${part}: ${name} (${i})`;
    found.set(key, { minMs, medianMs });
  }
  return found;
}

/** Only what minimum and median agree on: either alone is as often the machine's mood. */
function verdictOf(min: number, median: number, threshold: number): Change['verdict'] {
  if (Math.min(min, median) > 1 + threshold) return 'slower';
  return Math.max(min, median) < 1 / (1 + threshold) ? 'faster' : '';
}

/**
 * Relates what both reports measured, in the order of the new one. Slower is what took more than 1 + `threshold` times
 * as long, by its minimum and by its median.
 */
export function compareReports(before: WrittenReport, after: WrittenReport, threshold: number): Comparison {
  const [old, now] = [measurements(before), measurements(after)];
  const changes = [...now].flatMap(([key, { minMs, medianMs }]): Change[] => {
    const then = old.get(key);
    if (then === undefined) return [];
    const [min, median] = [minMs / then.minMs, medianMs / then.medianMs];
    const verdict = verdictOf(min, median, threshold);
    const [part, name] = key.split(/: (.*)/s);
    return [{ part, name, oldMs: then.minMs, newMs: minMs, min, median, verdict }];
  });
  return {
    changes,
    gone: [...old.keys()].filter((key) => !now.has(key)),
    added: [...now.keys()].filter((key) => !old.has(key)),
  };
}

const digits = (ms: number) => ms.toFixed(ms < 10 ? 3 : 1);

/** Ratios as a table, a line for each part with their geometric mean, and how many are slower or faster. */
export function formatComparison({ changes, gone, added }: Comparison, threshold: number): string {
  const header = ['', '', 'old ms', 'new ms', '× min', '× median', ''];
  const lines = changes.map(({ part, name, oldMs, newMs, min, median, verdict }) => {
    return [part, name, digits(oldMs), digits(newMs), min.toFixed(2), median.toFixed(2), verdict];
  });
  const parts = [...new Set(changes.map(({ part }) => part))].map((part) => {
    const of = changes.filter((change) => change.part === part);
    const mean = Math.exp(of.reduce((sum, { median }) => sum + Math.log(median), 0) / of.length);
    return `${part}: ${of.length} compared, medians × ${mean.toFixed(2)} in the geometric mean`;
  });
  const count = (verdict: Change['verdict']) => changes.filter((change) => change.verdict === verdict).length;
  return [
    table(header, lines, 2),
    '',
    ...parts,
    ...[
      ...gone.map((key) => `only in the old report: ${key}`),
      ...added.map((key) => `only in the new report: ${key}`),
    ],
    `${count('slower')} slower, ${count('faster')} faster, ${count('')} within ${Math.round(100 * threshold)} %`,
  ].join('\n');
}

const usage = 'usage: node bench/compare.js OLD.json NEW.json [--threshold=PERCENT]';

/** Why two files cannot be compared. */
class CompareError extends Error {
  override readonly name = 'CompareError';
}

function readReport(path: string): WrittenReport {
  try {
    const report: unknown = JSON.parse(readFileSync(path, 'utf8'));
    // What has kernels was written by npm run bench, and is a report as far as it goes.
    if (typeof report === 'object' && report !== null && 'kernels' in report) return report as WrittenReport;
  } catch (error) {
    if (!(error instanceof SyntaxError))
      throw new CompareError(`${path}: ${(error as Error).message}; check the path`);
  }
  throw new CompareError(`${path}: is no report; write one with npm run bench -- --json=FILE`);
}

function argumentsOf(argv: readonly string[]): { paths: readonly string[]; threshold: number } {
  const options = { threshold: { type: 'string', default: '10' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const percent = Number(values.threshold);
  if (!(percent >= 0))
    throw new CompareError(`--threshold=${values.threshold}: is no percentage; give one such as 10`);
  if (positionals.length !== 2) throw new CompareError(`${positionals.length} reports, want two; ${usage}`);
  return { paths: positionals, threshold: percent / 100 };
}

function compareFiles(argv: readonly string[]): boolean {
  const { paths, threshold } = argumentsOf(argv);
  const [before, after] = paths.map(readReport);
  const comparison = compareReports(before, after, threshold);
  if (comparison.changes.length === 0)
    throw new CompareError(`${paths.join(' and ')}: have no measurement in common`);
  if (before.device !== after.device)
    console.log(`devices differ: ${before.device ?? '?'} and ${after.device ?? '?'}\n`);
  console.log(formatComparison(comparison, threshold));
  return comparison.changes.some(({ verdict }) => verdict === 'slower');
}

/** Compares the reports in two files; the exit code: 0, 1 if something has become slower, 2 if it cannot be told. */
export function main(argv: readonly string[]): number {
  try {
    return compareFiles(argv) ? 1 : 0;
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: string };
    // parseArgs's errors of unknown options say all there is to say.
    if (name !== 'CompareError' && !code?.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`compare: ${message}`);
    return 2;
  }
}
