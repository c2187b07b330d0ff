import { ConfigError } from '../errors.js';
import { fromFlags, fromValue, type Assignment } from './assignment.js';
import { dataOptions } from './data_options.js';
import type { Flags } from './flags.js';
import { gather } from './gather.js';
import { formatLiteral, isDict, type ConfigValue } from './literal.js';
import { findModel, type ModelOptions } from './models.js';
import { resumableOptions, trainOptions } from './options.js';
import { assemble, knownTo, type Run } from './resolve.js';
import { runOptions } from './run_options.js';
import type { LoadedConfig, TrainConfig } from './train_config.js';

/** A configuration as plain data, as a checkpoint holds it. */
export type ConfigRecord = {
  readonly model: string;
  readonly dataset: string;
  readonly config_files: readonly string[];
  readonly options: { readonly [name: string]: ConfigValue };
  readonly model_options: { readonly [name: string]: ConfigValue };
  readonly data: { readonly [name: string]: ConfigValue };
};

/** Option values come from literals and YAML, so a copy through JSON loses nothing. */
function plain(values: object): { readonly [name: string]: ConfigValue } {
  return JSON.parse(JSON.stringify(values)) as { readonly [name: string]: ConfigValue };
}

/** The configuration as plain data; `configFromRecord` reads it back. */
export function configToRecord(config: TrainConfig): ConfigRecord {
  const data: Readonly<Record<string, unknown>> = { ...config.data };
  const options = Object.keys(trainOptions).map((name) => [name, config[name as keyof TrainConfig]] as const);
  return {
    model: config.model,
    dataset: config.dataset,
    config_files: [...config.config_files],
    options: plain(Object.fromEntries(options)),
    model_options: plain(config.model_options),
    data: plain(Object.fromEntries(Object.keys(dataOptions).map((name) => [name, data[name]] as const))),
  };
}

function runOf(
  record: { readonly [name: string]: ConfigValue },
  models: readonly ModelOptions[],
  origin: string,
): Run {
  const of = (name: 'model' | 'dataset') => runOptions[name].read(record[name] ?? null, `${origin}: ${name}`);
  return {
    model: findModel(of('model'), models),
    dataset: of('dataset'),
    config_files: runOptions.config_files.read(record.config_files ?? [], `${origin}: config_files`),
  };
}

function recorded(record: { readonly [name: string]: ConfigValue }, origin: string): readonly Assignment[] {
  return ['options', 'model_options', 'data'].flatMap((part) => {
    const values = record[part] ?? {};
    if (!isDict(values))
      throw new ConfigError(`${origin}: ${part} is no dictionary; the checkpoint is damaged`);
    return Object.entries(values).map(([name, value]) =>
      fromValue(name, value, `${origin}: ${name}=${formatLiteral(value)}`, 'checkpoint', origin),
    );
  });
}

/** Whether unknown data is what literals and YAML can say. */
function isConfigValue(value: unknown): value is ConfigValue {
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return true;
  return typeof value === 'object' && Object.values(value).every(isConfigValue);
}

/**
 * Reads what `configToRecord` made, every value checked as if it had been typed. `origin` names the
 * checkpoint in messages. Throws ConfigError.
 */
export function configFromRecord(
  record: unknown,
  models: readonly ModelOptions[],
  origin: string,
): TrainConfig {
  if (!isConfigValue(record) || !isDict(record)) {
    throw new ConfigError(`${origin}: holds no configuration; the checkpoint is damaged`);
  }
  const run = runOf(record, models, origin);
  return assemble(run, gather(recorded(record, origin), knownTo(run.model, models))).config;
}

function checkRunFlag({ name, where, read }: Assignment, config: TrainConfig): void {
  const asked =
    name === 'model' ? read(runOptions.model) : name === 'dataset' ? read(runOptions.dataset) : null;
  const before = name === 'model' ? config.model : config.dataset;
  if (asked === null || asked.toLowerCase() !== before.toLowerCase()) {
    throw new ConfigError(
      `${where}: the run to go on with is ${config.model} on ${config.dataset}; leave it out`,
    );
  }
}

/** Options that may not change keep their value; saying it again is no change. */
function checkUnchanged(
  { name, where }: Assignment,
  value: ConfigValue,
  before: ConfigValue,
  fixed: boolean,
): void {
  if ((resumableOptions.has(name) && !fixed) || formatLiteral(value) === formatLiteral(before)) return;
  throw new ConfigError(
    `${where}: the run began with ${formatLiteral(before)}; leave it out, or start anew without --resume`,
  );
}

/**
 * The configuration of a run that goes on: the checkpoint's, with the flags that change no result (epochs,
 * adapter, folders, what is shown). Throws ConfigError on any other change.
 */
export function resumeConfig(
  config: TrainConfig,
  flags: Flags,
  models: readonly ModelOptions[],
): LoadedConfig {
  const record = configToRecord(config);
  const before = new Map(Object.entries({ ...record.model_options, ...record.data, ...record.options }));
  const model = findModel(config.model, models);
  const known = knownTo(model, models);
  const assignments = fromFlags(flags);
  for (const one of assignments) if (Object.hasOwn(runOptions, one.name)) checkRunFlag(one, config);
  const changes = gather(assignments, known);
  for (const [name, value] of changes.values) {
    const assignment = changes.winners.get(name);
    // The cosine schedule ends with the last epoch, so there another number of epochs is another run.
    const fixed = name === 'epochs' && config.lr_scheduler === 'cosine';
    if (assignment !== undefined) checkUnchanged(assignment, value, before.get(name) ?? null, fixed);
  }
  const run: Run = { model, dataset: config.dataset, config_files: config.config_files };
  const base = recorded(record, 'checkpoint');
  return assemble(run, gather([...base, ...assignments], known));
}
