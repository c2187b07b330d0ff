import { dataOptionTable, type DataOption, type DataOptions } from '../../data/options.js';
import { ConfigError } from '../errors.js';
import type { ConfigValue } from './literal.js';
import type { Option, OptionTable } from './option.js';
import { trainOptions, type TrainOptions } from './options.js';
import { runOptions } from './run_options.js';

/** Forms that RecBole and shells give a value before it is checked. */
function candidates(kind: DataOption<unknown>['kind'], value: ConfigValue): readonly ConfigValue[] {
  if (value === 'None') return [null];
  if (kind === 'bool' && (value === 0 || value === 1)) return [value === 1];
  if (kind === 'list' && !Array.isArray(value)) return [value, [value]];
  // What a shell makes of --field_separator="\t".
  if (kind === 'str') return [value === '\\t' ? '\t' : typeof value === 'number' ? String(value) : value];
  return [value];
}

function dataOption({
  default: value,
  meaning,
  kind,
  form,
  accepts,
}: DataOption<unknown>): Option<ConfigValue> {
  return {
    default: value as ConfigValue, // a literal of data/options.ts
    meaning,
    kind,
    verbatim: kind === 'str',
    read(given, where) {
      const accepted = candidates(kind, given).find(accepts);
      if (accepted === undefined)
        throw new ConfigError(`${where}: not a ${kind} of the right form; give ${form}`);
      return accepted;
    },
  };
}

const own = Object.entries(dataOptionTable).filter(
  ([name]) => !Object.hasOwn(trainOptions, name) && !Object.hasOwn(runOptions, name),
);

/** The data set's options but those that a run has anyway: seed, eval_args, data_path and the like. */
export const dataOptions: OptionTable = Object.fromEntries(
  own.map(([name, entry]) => [name, dataOption(entry)] as const),
);

/** All options of the data pipeline, the shared ones from the run's. */
export function assembleData(
  dataset: string,
  options: TrainOptions,
  values: Readonly<Record<string, ConfigValue>>,
): DataOptions {
  const all: Readonly<Record<string, unknown>> = { ...values, ...options, dataset };
  const entries = Object.keys(dataOptionTable).map((name) => [name, all[name]] as const);
  // Each value was accepted by the table, which is typed by DataOptions itself.
  return Object.fromEntries(entries) as unknown as DataOptions;
}
