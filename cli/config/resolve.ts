import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import { fromFile, type Assignment } from './assignment.js';
import { checkTogether, derived } from './checks.js';
import { assembleData, dataOptions } from './data_options.js';
import { knownDatasets, propertyFiles } from './files.js';
import { gather, type Gathered, type Known } from './gather.js';
import type { ConfigValue } from './literal.js';
import { missingDatasetMessage } from './missing.js';
import { findModel, modelTable, type ModelOptions } from './models.js';
import type { Option, OptionTable } from './option.js';
import { evaluationLayer, generalOptions, trainOptions, type TrainOptions } from './options.js';
import { runOptions } from './run_options.js';
import type { LoadedConfig, TrainConfig } from './train_config.js';

/** The value of a run option from the last source that has it. */
export function pick<T>(option: Option<T>, name: string, assignments: readonly Assignment[]): T | undefined {
  return assignments.findLast((one) => one.name === name)?.read(option);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

/** Defaults that a model states for common options, which only point evaluation outranks. */
function modelDefaults(model: ModelOptions): ReadonlyMap<string, ConfigValue> {
  const table = modelTable(model);
  const names = Object.keys(table).filter(
    (name) => Object.hasOwn(trainOptions, name) && !evaluationLayer.has(name),
  );
  return new Map(names.map((name) => [name, table[name].default]));
}

function valuesOf(table: OptionTable, values: ReadonlyMap<string, ConfigValue>): Record<string, ConfigValue> {
  const entries = Object.entries(table).map(([name, option]) => {
    const value = values.get(name);
    return [name, value === undefined ? option.default : value] as const;
  });
  return Object.fromEntries(entries);
}

/** What is run, and what is known of its options. */
export interface Run {
  readonly model: ModelOptions;
  readonly dataset: string;
  readonly config_files: readonly string[];
}

/** All options a run of `model` can have. */
export function knownTo(model: ModelOptions, models: readonly ModelOptions[]): Known {
  return { model, models, table: { ...modelTable(model), ...dataOptions, ...trainOptions } };
}

/** Defaults under what was gathered, plus what follows; checked and frozen. */
export function assemble({ model, dataset, config_files }: Run, gathered: Gathered): LoadedConfig {
  const { values, winners, notes } = gathered;
  const common = valuesOf(trainOptions, new Map([...modelDefaults(model), ...values]));
  // valuesOf took each value from the option of its name or had it read by it, which is what TrainOptions
  // says.
  const options = common as TrainOptions;
  const follows = derived(options);
  const shared = new Map([...values, ...Object.entries(common)]);
  const config: TrainConfig = freeze({
    model: model.name,
    dataset,
    config_files,
    ...options,
    multi_cls: follows.multi_cls,
    multi_ratio: follows.multi_ratio,
    valid_metric_bigger: follows.valid_metric_bigger,
    model_options: valuesOf(modelTable(model), shared),
    data: assembleData(dataset, options, valuesOf(dataOptions, values)),
  });
  return { config, notes: [...notes, ...follows.notes, ...checkTogether(config, winners)] };
}

function missing(name: string, have: readonly string[]): ConfigError {
  return new ConfigError(`--${name}: missing; give one of ${have.join(', ')}`);
}

/** Makes a data set that is made on first use, before its property file is read; leaves all others alone. */
export type PrepareDataset = (dataset: string, dataPath: string) => Promise<void>;

/** All layers of a new run. Throws ConfigError. */
export async function resolveRun(
  flags: readonly Assignment[],
  models: readonly ModelOptions[],
  prepare: PrepareDataset,
): Promise<LoadedConfig> {
  const config_files = pick(runOptions.config_files, 'config_files', flags) ?? [];
  const files = config_files.flatMap((path) => fromFile(path, 'file'));
  const given = [...files, ...flags];
  const name = pick(runOptions.model, 'model', given);
  if (name === undefined)
    throw missing(
      'model',
      models.map((model) => model.name),
    );
  const model = findModel(name, models);
  const dataPath = pick(generalOptions.data_path, 'data_path', given) ?? generalOptions.data_path.default;
  const dataset = pick(runOptions.dataset, 'dataset', given);
  if (dataset === undefined) throw missing('dataset', knownDatasets(dataPath));
  await prepare(dataset, dataPath);
  const found = propertyFiles(dataset, dataPath);
  if (found.length === 0 && !existsSync(join(dataPath, dataset))) {
    throw new ConfigError(missingDatasetMessage({ dataset, data_path: dataPath }));
  }
  const properties = found.flatMap((path) => fromFile(path, 'dataset'));
  const gathered = gather([...properties, ...given], knownTo(model, models));
  return assemble({ model, dataset, config_files }, gathered);
}
