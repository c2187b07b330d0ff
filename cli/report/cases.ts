import { isDeepStrictEqual } from 'node:util';
import { resumableOptions } from '../config/options.js';
import { meanStd, pairedTTest, type MeanStd } from '../experiment/statistics.js';
import { higherIsBetter } from '../metrics.js';
import type { Head } from './head.js';
import { optionsOf } from './head.js';
import { bestEpoch, gapAt, type Run } from './runs.js';

/** Runs that differ in their seeds alone, one a seed, in the order of the seeds. */
export interface Group {
  readonly head: Head;
  readonly runs: readonly Run[];
}

/** Runs that differ in head and seed alone. */
export interface Case {
  /** Model, data set, and options that tell it from other cases of both. */
  readonly title: string;
  readonly model: string;
  readonly dataset: string;
  /** The binary head first, then by classes and ratio. */
  readonly groups: readonly Group[];
  /** Runs left out, as a later one has the same settings and seed. */
  readonly repeated: readonly Run[];
}

// What supervision is compared by, and what follows from it.
const headOptions = ['seed', 'multi_cls', 'multi_ratio', 'rating_bins', 'rating_edges'];
// These can be changed of a run that goes on, but they do decide on its result.
const deciding = ['epochs', 'stopping_step'];

/** The options that decide on the result, but for head and seed. */
function settingsOf({ result }: Run): Readonly<Record<string, unknown>> {
  const all = Object.entries(optionsOf(result));
  const counts = ([name]: readonly [string, unknown]) =>
    !headOptions.includes(name) && (deciding.includes(name) || !resumableOptions.has(name));
  return Object.fromEntries(all.filter(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return [...groups.values()];
}

/** Sorts runs into cases. */
export function casesOf(runs: readonly Run[]): readonly Case[] {
  const sameName = ({ result: { model, dataset } }: Run) => `${model} on ${dataset}`;
  return grouped(runs, sameName)
    .flatMap((named) => {
      const parts = grouped(named, (run) => JSON.stringify(settingsOf(run)));
      const settings = parts.map(([run]) => settingsOf(run));
      return parts.map((part, i) => caseOf(`${sameName(part[0])}${differences(settings, i)}`, part));
    })
    .sort((a, b) => (a.title < b.title ? -1 : 1));
}

/** The options that not all cases have alike. */
function differences(settings: readonly Readonly<Record<string, unknown>>[], i: number): string {
  const names = Object.keys(settings[i]);
  const own = names.filter((name) =>
    settings.some((other) => !isDeepStrictEqual(other[name], settings[i][name])),
  );
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return own.map((name) => `, ${name}=${text(settings[i][name])}`).join('');
}

function caseOf(title: string, runs: readonly Run[]): Case {
  const { model, dataset } = runs[0].result;
  const repeated: Run[] = [];
  const groups = grouped(runs, ({ head }) => head.label).map((same) => {
    const bySeed = grouped(same, ({ result }) => String(result.seed));
    for (const one of bySeed) repeated.push(...one.slice(0, -1));
    const last = bySeed.map((one) => one[one.length - 1]);
    return { head: same[0].head, runs: last.sort((a, b) => a.result.seed - b.result.seed) };
  });
  const order = ({ head: { classes, binned, ratio } }: Group) => [classes ?? 0, Number(binned), ratio ?? 0];
  groups.sort((a, b) => {
    const [left, right] = [order(a), order(b)];
    const i = left.findIndex((value, at) => value !== right[at]);
    return i === -1 ? 0 : left[i] - right[i];
  });
  return { title, model, dataset, groups, repeated };
}

/** A number that each run has. */
export interface Measure {
  readonly name: string;
  readonly bigger: boolean;
  of(run: Run): number;
}

/** Metrics on the test part, then what the claim is about: gap and Lipschitz estimates at the best epoch. */
export function measuresOf({ groups }: Case): readonly Measure[] {
  const runs = groups.flatMap((group) => group.runs);
  const names = [...new Set(runs.flatMap(({ result }) => Object.keys(result.test ?? {})))];
  const tested = names.map((name) => ({
    name: `test ${name}`,
    bigger: higherIsBetter(name),
    of: ({ result }: Run) => result.test?.[name] ?? NaN,
  }));
  const gaps = (['AUC', 'LogLoss'] as const).map((name) => ({
    name: `gap of ${name}`,
    bigger: false,
    of: (run: Run) => gapAt(bestEpoch(run) ?? noEpoch, name),
  }));
  const slopes = ['mean', 'p99', 'max'].map((name) => ({
    name: `Lipschitz ${name}`,
    bigger: false,
    of: (run: Run) => bestEpoch(run)?.lipschitz?.[name] ?? NaN,
  }));
  return [...tested, ...gaps, ...slopes].filter(({ of }) => runs.some((run) => Number.isFinite(of(run))));
}

const noEpoch = { epoch: 0, loss: NaN, train: null, valid: null, lipschitz: null };

/** Mean and spread of a measure over the runs of a group that have it. */
export const spread = ({ runs }: Group, { of }: Measure): MeanStd =>
  meanStd(runs.map(of).filter(Number.isFinite));

/** The group that is best on the valid part, of those with classes; undefined if there is none. */
export function bestMulti({ groups }: Case): Group | undefined {
  const multi = groups.filter(({ head }) => head.classes !== null);
  const score = ({ runs }: Group) => {
    const metric = String(optionsOf(runs[0].result).valid_metric ?? 'AUC');
    const { mean } = meanStd(runs.map(({ result }) => result.valid?.[metric] ?? NaN));
    return Number.isNaN(mean) ? -Infinity : mean * (higherIsBetter(metric) ? 1 : -1);
  };
  return multi.reduce<Group | undefined>(
    (best, one) => (best === undefined || score(one) > score(best) ? one : best),
    undefined,
  );
}

/** The group without classes; undefined if there is none. */
export const binaryOf = ({ groups }: Case): Group | undefined =>
  groups.find(({ head }) => head.classes === null);

/** What is said of a difference. */
export type Verdict = 'better' | 'worse' | 'no significant difference' | 'not judged';

/** A measure of binary against multi-class runs, over the seeds that both have. */
export interface Comparison {
  readonly measure: Measure;
  readonly binary: MeanStd;
  readonly multi: MeanStd;
  /** Multi-class minus binary, by pairs. */
  readonly difference: number;
  readonly n: number;
  readonly p: number;
  readonly verdict: Verdict;
}

/** Below it a difference is called significant. */
export const significance = 0.05;

/** Compares two groups seed by seed. */
export function compare(binary: Group, multi: Group, measure: Measure): Comparison {
  const seeds = new Map(binary.runs.map((run) => [run.result.seed, measure.of(run)]));
  const pairs = multi.runs
    .map((run) => [measure.of(run), seeds.get(run.result.seed) ?? NaN] as const)
    .filter((pair) => pair.every(Number.isFinite));
  const [ours, theirs] = [pairs.map(([one]) => one), pairs.map(([, one]) => one)];
  const { n, difference, p } = pairedTTest(ours, theirs);
  const isBetter = difference > 0 === measure.bigger;
  const judged = p < significance ? (isBetter ? 'better' : 'worse') : 'no significant difference';
  const verdict: Verdict = Number.isNaN(p) ? 'not judged' : judged;
  return { measure, binary: meanStd(theirs), multi: meanStd(ours), difference, n, p, verdict };
}
