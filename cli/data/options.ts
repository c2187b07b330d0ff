import type { DataOptions } from '../../data/options.js';
import { fromFile, fromFlags } from '../config/assignment.js';
import { assembleData, dataOptions } from '../config/data_options.js';
import { propertyFiles } from '../config/files.js';
import { flagLabel, unknownOption, type Flags } from '../config/flags.js';
import { gather } from '../config/gather.js';
import type { Section } from '../config/help.js';
import type { OptionTable } from '../config/option.js';
import { evaluationOptions, generalOptions, trainOptions, type TrainOptions } from '../config/options.js';
import { pick } from '../config/resolve.js';
import { runOptions } from '../config/run_options.js';
import { ConfigError } from '../errors.js';

const { dataset, config_files } = runOptions;
const { data_path, seed, save_dataset, dataset_save_path } = generalOptions;

/** What `data info` takes, in groups: which data set, and what decides how it is read. */
export const infoSections: readonly Section[] = [
  { title: 'Which', options: { dataset, data_path, config_files } },
  { title: 'Split', options: { seed, eval_args: evaluationOptions.eval_args } },
  { title: 'Cache', options: { save_dataset, dataset_save_path } },
  { title: 'Data set', options: dataOptions },
];

const table: OptionTable = Object.assign({}, ...infoSections.map(({ options }) => options));

/** A data set is described without a model. */
const noModel = { name: 'data info', paper: '', config: {} };

/**
 * The options of a data set as a training run would have them: defaults ← property file ← config files ← flags.
 * What config files say about models and training is passed over. Throws ConfigError.
 */
export function resolveData(flags: Flags): DataOptions {
  for (const [name, value] of flags) {
    if (!Object.hasOwn(table, name)) throw unknownOption(flagLabel(name, value), name, Object.keys(table));
  }
  const typed = fromFlags(flags);
  const paths = pick(config_files, 'config_files', typed) ?? [];
  const given = [...paths.flatMap((path) => fromFile(path, 'file')), ...typed];
  const name = pick(dataset, 'dataset', given);
  if (name === undefined)
    throw new ConfigError('--dataset: missing; give a folder of data_path, such as sample');
  const folder = pick(data_path, 'data_path', given) ?? data_path.default;
  const properties = propertyFiles(name, folder).flatMap((path) => fromFile(path, 'dataset'));
  const concerned = [...properties, ...given].filter((one) => Object.hasOwn(table, one.name));
  const { values } = gather(concerned, { table, model: noModel, models: [] });
  const common = Object.entries(trainOptions).map(([option, { default: value }]) => [
    option,
    values.get(option) ?? value,
  ]);
  // Each value is the default or was read by the option of its name, which is what TrainOptions says.
  return assembleData(name, Object.fromEntries(common) as TrainOptions, dataValues(values));
}

function dataValues(values: ReadonlyMap<string, unknown>): Parameters<typeof assembleData>[2] {
  const entries = Object.entries(dataOptions).map(([name, option]) => [
    name,
    values.has(name) ? values.get(name) : option.default,
  ]);
  return Object.fromEntries(entries);
}
