import type { CellState } from '../cells/state.js';
import { isDict, type ConfigValue } from '../config/literal.js';
import { higherIsBetter } from '../metrics.js';
import type { Metrics } from '../train/state.js';
import { cellName, headTitle, type Cell, type Head, type Plan } from './cell.js';
import { meanStd, pairedTTest, type MeanStd, type PairedTTest } from './statistics.js';

/** A finished cell. */
export interface CellResult extends Cell {
  /** Its run folder. */
  readonly run: string;
  readonly valid: Metrics | null;
  readonly test: Metrics | null;
}

/** Metrics over the seeds of one setting. */
export interface Group {
  readonly model: string;
  readonly dataset: string;
  readonly head: Head;
  readonly seeds: readonly number[];
  readonly valid: Readonly<Record<string, MeanStd>>;
  readonly test: Readonly<Record<string, MeanStd>>;
}

/** A metric on test: a multi-class head with the ratio that is best on valid, minus binary, paired by seed. */
export interface Comparison extends PairedTTest {
  readonly model: string;
  readonly dataset: string;
  /** The multi-class head. */
  readonly head: Head;
  readonly best_ratio: number;
  /** By this metric on valid. */
  readonly chosen_by: string;
  readonly metric: string;
  /** Over the seeds that both have. */
  readonly binary: MeanStd;
  readonly multi: MeanStd;
}

/** What an experiment came to. */
export interface Summary {
  readonly version: 1;
  readonly name: string;
  readonly notes: readonly string[];
  readonly cells: readonly CellResult[];
  readonly groups: readonly Group[];
  readonly comparisons: readonly Comparison[];
  /** Names of the cells that are not finished. */
  readonly unfinished: readonly string[];
}

/** Makes the summary of a plan whose cells stand so, in order. */
export function summaryOf(plan: Plan, states: readonly CellState[]): Summary {
  const results = plan.cells.flatMap((cell, i) => {
    const state = states[i];
    if (state.kind !== 'finished') return [];
    const { run, result } = state;
    return [{ ...cell, run, valid: result.valid, test: result.test, metric: validMetric(result.config) }];
  });
  const cells = results.map(({ metric: _, ...cell }) => cell);
  const groups = groupsOf(cells);
  const finished = new Set(cells.map(cellName));
  return {
    version: 1,
    name: plan.name,
    notes: plan.notes,
    cells,
    groups,
    comparisons: comparisonsOf(groups, cells, results[0]?.metric ?? 'AUC'),
    unfinished: plan.cells.map(cellName).filter((name) => !finished.has(name)),
  };
}

/** The metric by which a run chose its epoch. */
function validMetric(config: unknown): string {
  const { options = null } = config as { readonly options?: ConfigValue };
  return isDict(options) && typeof options.valid_metric === 'string' ? options.valid_metric : 'AUC';
}

const keyOf = ({ dataset, model, head }: Pick<Cell, 'dataset' | 'model' | 'head'>) =>
  cellName({ dataset, model, head, seed: 0, options: {} });

function grouped<T>(items: readonly T[], key: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

function groupsOf(cells: readonly CellResult[]): readonly Group[] {
  return grouped(cells, keyOf).map((members) => {
    const { model, dataset, head } = members[0];
    const seeds = members.map(({ seed }) => seed);
    return {
      model,
      dataset,
      head,
      seeds,
      valid: metricsOver(members, 'valid'),
      test: metricsOver(members, 'test'),
    };
  });
}

function metricsOver(cells: readonly CellResult[], part: 'valid' | 'test'): Group['test'] {
  const names = Object.keys(cells[0]?.[part] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, meanStd(cells.flatMap((cell) => cell[part]?.[name] ?? []))]),
  );
}

function comparisonsOf(
  groups: readonly Group[],
  cells: readonly CellResult[],
  chosenBy: string,
): readonly Comparison[] {
  const multi = groups.filter(({ head }) => head.multi_ratio !== null);
  const families = grouped(multi, ({ dataset, model, head }) => [dataset, model, headTitle(head)].join('\0'));
  return families.flatMap((family) => {
    const best = bestOn(family, chosenBy);
    if (best === null) return [];
    const same = ({ dataset, model }: CellResult) => dataset === best.dataset && model === best.model;
    const binary = cells.filter((cell) => same(cell) && cell.head.multi_ratio === null);
    const chosen = cells.filter((cell) => same(cell) && keyOf(cell) === keyOf(best));
    return Object.keys(best.test).flatMap((metric) => comparison(best, binary, chosen, metric, chosenBy));
  });
}

/** The setting with the best mean on valid; null if none was judged there. The first of equals. */
function bestOn(family: readonly Group[], metric: string): Group | null {
  const judged = family.filter(({ valid }) => valid[metric] !== undefined);
  const sign = higherIsBetter(metric) ? 1 : -1;
  const score = ({ valid }: Group) => sign * valid[metric].mean;
  return judged.reduce<Group | null>(
    (best, one) => (best === null || score(one) > score(best) ? one : best),
    null,
  );
}

function comparison(
  { model, dataset, head }: Group,
  binary: readonly CellResult[],
  multi: readonly CellResult[],
  metric: string,
  chosenBy: string,
): readonly Comparison[] {
  const pairs = multi.flatMap((cell) => {
    const other = binary.find(({ seed }) => seed === cell.seed)?.test?.[metric];
    const own = cell.test?.[metric];
    return other === undefined || own === undefined ? [] : [[own, other] as const];
  });
  if (pairs.length === 0) return [];
  const [own, other] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
  const who = { model, dataset, head, best_ratio: head.multi_ratio ?? 0, chosen_by: chosenBy, metric };
  return [{ ...who, binary: meanStd(other), multi: meanStd(own), ...pairedTTest(own, other) }];
}
