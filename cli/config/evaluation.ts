import { ConfigError } from '../errors.js';
import { parseMetric, valueMetrics } from '../metrics.js';
import { formatLiteral, isDict, type ConfigValue } from './literal.js';
import { nearest } from './nearest.js';
import { special, type Option } from './option.js';

/** Parts of leave-one-out splits: RecBole's words. */
export type LeaveOneOut = 'valid_and_test' | 'valid_only' | 'test_only';

/** How interactions are split, and what is evaluated. */
export type EvalArgs = {
  readonly split: { readonly RS: readonly number[] } | { readonly LS: LeaveOneOut };
  readonly order: 'RO' | 'TO';
  readonly group_by: 'none' | 'user';
  /** Labelled rows are scored as they are. */
  readonly mode: 'labeled';
};

const splitExample = "{'RS': [0.8, 0.1, 0.1]} or {'LS': 'valid_and_test'}";
const leaveOneOut: readonly LeaveOneOut[] = ['valid_and_test', 'valid_only', 'test_only'];

function readRatios(value: ConfigValue, where: string): readonly number[] {
  const bad = () =>
    new ConfigError(`${where}: RS wants three shares such as [0.8, 0.1, 0.1], the first above 0`);
  if (!Array.isArray(value) || value.length !== 3) throw bad();
  const ratios = value.map((share: ConfigValue) => {
    if (typeof share !== 'number' || !(share >= 0) || !Number.isFinite(share)) throw bad();
    return share;
  });
  if (ratios[0] === 0) throw bad();
  return ratios;
}

function readSplit(value: ConfigValue, where: string): EvalArgs['split'] {
  const entries = isDict(value) ? Object.entries(value) : [];
  const [name, setting] = entries[0] ?? ['', null];
  if (entries.length === 1 && name === 'RS') return { RS: readRatios(setting, where) };
  if (entries.length !== 1 || name !== 'LS') {
    throw new ConfigError(`${where}: split is ${formatLiteral(value)}; give ${splitExample}`);
  }
  const LS = leaveOneOut.find((word) => word === setting);
  if (LS === undefined) throw new ConfigError(`${where}: LS wants one of ${leaveOneOut.join(', ')}`);
  return { LS };
}

function readOrder(value: ConfigValue, where: string): EvalArgs['order'] {
  if (value === 'RO' || value === 'TO') return value;
  throw new ConfigError(`${where}: order is ${formatLiteral(value)}; give RO (random) or TO (by time)`);
}

function readGroupBy(value: ConfigValue, where: string): EvalArgs['group_by'] {
  if (value === null || value === 'none' || value === 'None') return 'none';
  if (value === 'user') return 'user';
  throw new ConfigError(`${where}: group_by is ${formatLiteral(value)}; give user or none`);
}

function readMode(value: ConfigValue, where: string): EvalArgs['mode'] {
  const modes = isDict(value) ? Object.values(value) : [value];
  if (modes.length > 0 && modes.every((mode) => mode === 'labeled')) return 'labeled';
  throw new ConfigError(
    `${where}: mode is ${formatLiteral(value)}, but training evaluates labelled rows; ` +
      `give labeled, and rank with node cli/rank-eval.js`,
  );
}

/**
 * Keys that are left out take RecBole's values, not those of an earlier layer: it replaces the dictionary as
 * a whole. (Its own value for mode, full, cannot be evaluated with value metrics, so labeled stands in.)
 */
function readEvalArgs(value: ConfigValue, where: string): EvalArgs {
  if (!isDict(value))
    throw new ConfigError(`${where}: not a dictionary; give {'split': ${splitExample}, ...}`);
  const keys = ['split', 'order', 'group_by', 'mode'];
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new ConfigError(`${where}: no key ${unknown}; have ${keys.join(', ')}`);
  }
  return {
    split: readSplit(value.split ?? { RS: [0.8, 0.1, 0.1] }, where),
    order: readOrder(value.order ?? 'RO', where),
    group_by: 'group_by' in value ? readGroupBy(value.group_by, where) : 'user',
    mode: readMode(value.mode ?? 'labeled', where),
  };
}

/** How interactions are split: a dictionary of split, order, group_by and mode. */
export const evalArgs: Option<EvalArgs> = special<EvalArgs>(
  { split: { RS: [0.8, 0.1, 0.1] }, order: 'RO', group_by: 'none', mode: 'labeled' },
  'dict',
  'split (RS or LS), order (RO or TO), group_by (user or none), mode; keys left out: as in RecBole',
  readEvalArgs,
);

/**
 * A metric of labelled rows under its own spelling: AUC, LogLoss, … ; ranking metrics belong to rank-eval.
 */
export function metricName(defaultValue: string, meaning: string): Option<string> {
  const have = Object.keys(valueMetrics);
  return {
    ...special(defaultValue, 'str', meaning, (value, where) => {
      const name = have.find((one) => one.toLowerCase() === String(value).toLowerCase());
      if (name !== undefined) return name;
      if (isRanking(value)) {
        throw new ConfigError(
          `${where}: ${String(value)} ranks items, training scores labelled rows; ` +
            `give one of ${have.join(', ')}, and rank with node cli/rank-eval.js`,
        );
      }
      const meant = nearest(String(value), have);
      throw new ConfigError(
        `${where}: no such metric; ${meant ? `did you mean ${meant}` : `have ${have.join(', ')}`}`,
      );
    }),
    verbatim: true,
  };
}

function isRanking(value: ConfigValue): boolean {
  try {
    return parseMetric(String(value)).kind === 'ranking';
  } catch {
    return false;
  }
}
