import { plainText, type ConfigValue } from '../config/literal.js';
import {
  float,
  int,
  list,
  special,
  type Option,
  type OptionTable,
  type OptionValues,
} from '../config/option.js';
import { ConfigError } from '../errors.js';
import { binaryHead, type Cell, type Head } from './cell.js';

/** A list whose items stand in brackets or between commas. */
function commas<T extends ConfigValue>(
  defaultValue: readonly T[],
  item: Option<T>,
  meaning: string,
): Option<readonly T[]> {
  const items = list(defaultValue, item, meaning);
  const read = (value: ConfigValue, where: string): readonly T[] => {
    if (value === null || value === 'None') return [];
    if (typeof value !== 'string') return items.read(value, where);
    const parts = value.split(',').map((part) => part.trim());
    return items.read(item.kind === 'str' ? parts : parts.map(Number), where);
  };
  return special(defaultValue, 'list', meaning, read);
}

const word: Option<string> = special<string>('', 'str', '', (value, where) => {
  if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  throw new ConfigError(`${where}: not a name; give names with commas between them`);
});

type HeadWord = 'binary' | 'multi';
const headWord: Option<HeadWord> = special<HeadWord>('binary', 'str', '', (value, where) => {
  if (value === 'binary' || value === 'multi') return value;
  throw new ConfigError(`${where}: ${plainText(value)} is not known; give binary, multi or both`);
});

// The paper's: its five runs are those of 2020 and the four years after.
const firstSeed = 2020;
const mostCounted = 100;

const seedList = commas([], int(firstSeed, '', { min: 0, max: 2 ** 32 - 1 }), '');
const seeds = special<readonly number[]>(
  [2020, 2021, 2022, 2023, 2024],
  'list',
  `seeds; one number up to ${mostCounted} counts them from ${firstSeed}`,
  (value, where) => {
    if (typeof value !== 'number' || value > mostCounted) return seedList.read(value, where);
    const count = int(5, '', { min: 1 }).read(value, where);
    return Array.from({ length: count }, (_, i) => firstSeed + i);
  },
);

/** The axes of a matrix of runs. */
export const matrixOptions = {
  models: commas<string>([], word, 'models'),
  datasets: commas<string>([], word, 'data sets'),
  heads: commas<HeadWord>(['binary', 'multi'], headWord, 'supervision: binary, multi or both'),
  multi_cls: commas([5], int(5, '', { min: 2, max: 1024 }), 'numbers of rating classes'),
  rating_bins: commas<number>(
    [],
    int(3, '', { min: 2, max: 1024 }),
    'numbers of classes that ratings are merged into; replaces multi_cls unless that is given too',
  ),
  ratios: commas([0.1, 0.3, 0.5, 0.7, 0.9], float(0.5, '', { min: 0, max: 1 }), 'values of multi_ratio'),
  seeds,
} as const satisfies OptionTable;

/** The axes of a matrix. */
export type Matrix = OptionValues<typeof matrixOptions>;

/** Other names of axes: those of `train`. */
export const axisAliases: Readonly<Record<string, keyof Matrix>> = {
  model: 'models',
  dataset: 'datasets',
  multi_ratio: 'ratios',
  seed: 'seeds',
};

/** The options of a model on a data set, as typed. */
export type OptionsOf = (model: string, dataset: string) => Readonly<Record<string, string>>;

/**
 * All cells, the seeds of a model outside its heads, so that an experiment that is cut short has whole pairs.
 * Throws ConfigError on an empty axis and on values that are given twice.
 */
export function cellsOf(matrix: Matrix, optionsOf: OptionsOf): readonly Cell[] {
  for (const axis of ['models', 'datasets', 'seeds'] as const) checkAxis(axis, matrix[axis], true);
  for (const axis of ['heads', 'multi_cls', 'rating_bins', 'ratios'] as const)
    checkAxis(axis, matrix[axis], false);
  const heads = headsOf(matrix);
  if (heads.length === 0) {
    throw new ConfigError(
      '--heads: no supervision is left; give binary, or multi with --multi_cls and --ratios',
    );
  }
  return matrix.datasets.flatMap((dataset) =>
    matrix.models.flatMap((model) => {
      const options = optionsOf(model, dataset);
      return matrix.seeds.flatMap((seed) => heads.map((head) => ({ model, dataset, head, seed, options })));
    }),
  );
}

function checkAxis(axis: keyof Matrix, values: readonly (string | number)[], needed: boolean): void {
  if (needed && values.length === 0)
    throw new ConfigError(`--${axis}: missing; give one or more, with commas`);
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw new ConfigError(`--${axis}: ${twice} is given twice; give it once`);
}

function headsOf({ heads, multi_cls, rating_bins, ratios }: Matrix): readonly Head[] {
  const classes: readonly Head[] = [
    ...multi_cls.map((count) => ({ ...binaryHead, multi_cls: count })),
    ...rating_bins.map((count) => ({ ...binaryHead, rating_bins: count })),
  ];
  const multi = classes.flatMap((head) => ratios.map((multi_ratio) => ({ ...head, multi_ratio })));
  return [...(heads.includes('binary') ? [binaryHead] : []), ...(heads.includes('multi') ? multi : [])];
}
