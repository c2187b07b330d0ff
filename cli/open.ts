/**
 * What train, rank-eval and predict share: from a configuration to a device, data, a program and a runner.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadDataset } from '../data/dataset.js';
import { positiveClass, withRatingClasses } from '../data/rating_bins.js';
import type { Dataset } from '../data/schema.js';
import { ensureSample } from '../data/synthetic.js';
import { findAdapter, openAdapter } from '../engine/adapter.js';
import {
  constantLr,
  cosineLr,
  exponentialLr,
  optimizers,
  stepLr,
  type Device,
  type LrSchedule,
  type Optimizer,
  type OptimizerName,
} from '../engine/index.js';
import {
  arranged,
  models,
  type Features,
  type OptionValue,
  type Program,
  type Supervision,
} from '../models/index.js';
import { CheckpointError, putTensors, type Checkpoint, type DataIdentity } from './checkpoint.js';
import { missingDatasetMessage } from './config/missing.js';
import { findModel } from './config/models.js';
import type { TrainConfig } from './config/train_config.js';
import { ConfigError } from './errors.js';
import { Runner } from './runner.js';

/** The name of the data set that is made on first use. */
const sample = 'sample';

/** Makes the data set if it is the one that is made on first use; the line to print if it was. */
export async function prepareDataset(dataset: string, dataPath: string): Promise<string | null> {
  if (dataset !== sample || !(await ensureSample(dataPath))) return null;
  return `${sample}: made in ${join(dataPath, sample)}, invented data with a planted model`;
}

/**
 * A device of the choice `--adapter`, destroyed at the latest when the process ends. Throws AdapterError or
 * DeviceError.
 */
export async function openDevice({
  adapter,
  threads,
  check,
}: Pick<TrainConfig, 'adapter' | 'threads' | 'check'>): Promise<Device> {
  const found = await findAdapter(adapter);
  const device = await openAdapter(found, { threads: threads ?? undefined, checked: check });
  // Dawn crashes in a process that ends in the middle of its work (a second Ctrl-C, a reader that has gone away).
  process.once('exit', () => device.destroy());
  return device;
}

/** The device in use, for people. */
export function adapterLine({ name, kind }: Pick<Device, 'name' | 'kind'>): string {
  return `adapter: ${name} (${kind})`;
}

/** Throws ConfigError, saying how to get or make it, if the interactions of a data set are not there. */
export function requireDataset({
  dataset,
  data_path,
  data,
}: Pick<TrainConfig, 'dataset' | 'data_path' | 'data'>): void {
  // Files of a set that was split beforehand are named by whoever reads them.
  if (data.benchmark_filename !== null) return;
  if (!existsSync(join(data_path, dataset, `${dataset}.inter`))) {
    throw new ConfigError(missingDatasetMessage({ dataset, data_path }));
  }
}

/**
 * The data set of a configuration as its model reads it, made first if it is the one that is made on first use. Lines
 * about it go to `note`. Throws ConfigError if it is not there, DataError if it cannot be used.
 */
export async function openDataset(
  config: Pick<TrainConfig, 'dataset' | 'data_path' | 'data' | 'model' | 'rating_edges'>,
  note: (line: string) => void,
): Promise<Dataset> {
  const { dataset, data_path, data, model, rating_edges } = config;
  const made = await prepareDataset(dataset, data_path);
  if (made !== null) note(made);
  requireDataset({ dataset, data_path, data });
  const loaded = await loadDataset(data, note);
  const read = arranged(findModel(model, models), loaded);
  const unread = fieldNames(loaded).filter((name) => !fieldNames(read).includes(name));
  if (unread.length > 0) note(`${model}: does not read ${unread.join(', ')}`);
  return rating_edges === null ? read : withRatingClasses(read, rating_edges);
}

const fieldNames = ({ schema: { token, tokenSeq, float } }: Dataset) =>
  [...token, ...tokenSeq, ...float].map(({ name }) => name);

/** The model of a configuration, for this data set. Throws ConfigError if supervision and data do not fit. */
export function programOf(config: TrainConfig, dataset: Dataset): Program {
  const model = findModel(config.model, models);
  // Read by the options that the model declares.
  const options = config.model_options as Readonly<Record<string, OptionValue>>;
  if (model.target?.(options) === 'rating') checkWholeRatings(config, dataset);
  return {
    model,
    options,
    embeddingSize: config.embedding_size,
    schema: dataset.schema,
    supervision: supervisionOf(config, dataset),
    gradientPenalty: config.gradient_penalty,
  };
}

function supervisionOf(config: TrainConfig, dataset: Dataset): Supervision {
  const { multi_cls, multi_ratio, label_agg, label_smoothing, rating_edges, data } = config;
  if (dataset.label === null) {
    throw new ConfigError(
      `label: ${dataset.name} has no column ${data.LABEL_FIELD} and no threshold to make it from; ` +
        `give --threshold="{'${data.RATING_FIELD}': 4}"`,
    );
  }
  // A choice of the very words that the engine knows.
  const labelAggregation = label_agg as Supervision['labelAggregation'];
  const how = { labelAggregation, labelSmoothing: label_smoothing };
  if (multi_cls === null) return { classes: 1, ratio: 0, positive: 0, ...how };
  checkRatings(multi_cls, config, dataset);
  const threshold = data.threshold?.[data.RATING_FIELD] ?? 1;
  return {
    classes: multi_cls,
    ratio: multi_ratio ?? 0.5,
    // Truncated as in the paper's code; class k is the rating k + 1.
    positive: rating_edges === null ? Math.trunc(threshold) - 1 : positiveClass(rating_edges, threshold),
    ...how,
  };
}

/** Every rating is a whole number from 1 on, as those are that a binary logit can be compared with. */
function checkWholeRatings({ data }: TrainConfig, { rating, name }: Dataset): void {
  const bad = rating?.find((value) => !(Number.isInteger(value) && value >= 1));
  if (rating !== null && bad === undefined) return;
  const what = bad === undefined ? 'no ratings' : `the rating ${bad}, which is not a whole number from 1 on`;
  throw new ConfigError(
    `--loss_type=rating: ${name} has ${what}; name another column with --RATING_FIELD (now ${data.RATING_FIELD}), ` +
      'or leave loss_type out',
  );
}

/** Every rating, truncated, is one of the classes 1 … `classes`. */
function checkRatings(classes: number, { data }: TrainConfig, dataset: Dataset): void {
  const { rating, name } = dataset;
  if (rating === null) {
    throw new ConfigError(
      `--multi_cls=${classes}: ${name} has no float column ${data.RATING_FIELD} to take classes from; ` +
        'load it, name another with --RATING_FIELD, or leave multi_cls out',
    );
  }
  const row = rating.findIndex((value) => !(value >= 1 && value < classes + 1));
  if (row === -1) return;
  throw new ConfigError(
    `--multi_cls=${classes}: ${data.RATING_FIELD} ${rating[row]} of ${pairText(dataset, row)} is not ` +
      `within 1 … ${classes}; give another --multi_cls, or filter with --val_interval`,
  );
}

/** Which interaction a row is, in the tokens of the file. */
function pairText({ schema, inter, vocabularies }: Dataset, row: number): string {
  const token = (field: string) => {
    const column = inter.columns.get(field);
    return column?.type === 'token' ? vocabularies.get(field)?.[column.ids[row]] : undefined;
  };
  const [user, item] = [token(schema.userField), token(schema.itemField)];
  return `user ${user ?? '?'} and item ${item ?? '?'}`;
}

/** The optimizer of a configuration. Throws ConfigError. */
export function optimizerFor({ learner, weight_decay }: TrainConfig): Optimizer {
  try {
    // A choice of the very words that the engine knows.
    return optimizers[learner as OptimizerName]({ weightDecay: weight_decay });
  } catch (error) {
    throw error instanceof RangeError ? new ConfigError(error.message) : error;
  }
}

/** The learning rate of a step, counted from 1, and its epoch, counted from 0. */
export function learningRates(config: TrainConfig): LrSchedule {
  const { learning_rate, lr_scheduler, lr_step_size, lr_gamma, lr_min, epochs } = config;
  switch (lr_scheduler) {
    case 'step':
      return stepLr(learning_rate, lr_step_size, lr_gamma);
    case 'exponential':
      return exponentialLr(learning_rate, lr_gamma);
    case 'cosine':
      return cosineLr(learning_rate, epochs, lr_min);
    default:
      return constantLr(learning_rate);
  }
}

/** A runner that trains `trainRows` rows an epoch, or only evaluates if that is 0. */
export function openRunner(
  device: Device,
  config: TrainConfig,
  program: Program,
  features: Features,
  trainRows: number,
): Promise<Runner> {
  const clip = config.clip_grad_norm;
  return Runner.open(device, program, features, {
    trainBatch: config.train_batch_size,
    evalBatch: config.eval_batch_size,
    trainRows,
    optimizer: optimizerFor(config),
    clipNorm: clip === null ? undefined : { maxNorm: clip.max_norm },
    seed: config.seed,
    denseTables: config.dense_adam,
    lossInterval: config.log_interval,
  });
}

/** What identifies the data of a run: every interaction with its features. */
export function dataIdentity({ rows, layout, resident }: Features): DataIdentity {
  const hash = createHash('sha256').update(rows);
  for (const [name, words] of resident) hash.update(name).update(words);
  return { rows: rows.length / layout.width, digest: hash.digest('hex') };
}

/**
 * Throws CheckpointError unless interactions and features are the very same as when the checkpoint was
 * written.
 */
export function checkSameData({ path, data }: Checkpoint, features: Features): void {
  const { rows, digest } = dataIdentity(features);
  if (rows === data.rows && digest === data.digest) return;
  const what =
    rows === data.rows
      ? `other values in its ${rows} interactions`
      : `${rows} interactions, not ${data.rows}`;
  throw new CheckpointError(`checkpoint ${path}: the data set has ${what} since; restore it, or train anew`);
}

/** Throws CheckpointError unless fields and their ids are those of the checkpoint, or of what is called `origin`. */
export function checkSameIds(
  checkpoint: Pick<Checkpoint, 'path' | 'schema' | 'vocabularies'>,
  { schema, vocabularies }: Pick<Dataset, 'schema' | 'vocabularies'>,
  origin = `checkpoint ${checkpoint.path}`,
): void {
  for (const list of ['tokenSeq', 'token', 'float'] as const) {
    const [then, now] = [checkpoint.schema[list], schema[list]].map((fields) => fields.map(fieldText));
    const at = Array.from({ length: Math.max(then.length, now.length) }).findIndex(
      (_, i) => then[i] !== now[i],
    );
    if (at === -1) continue;
    throw new CheckpointError(
      `${origin}: was trained with ${then[at] ?? 'no further field'}, the data set has ` +
        `${now[at] ?? 'no further field'}; restore the data set, or train anew`,
    );
  }
  for (const [field, tokens] of vocabularies) {
    const saved = checkpoint.vocabularies.get(field) ?? [];
    const at = tokens.findIndex((token, id) => saved[id] !== token);
    if (at === -1 && saved.length === tokens.length) continue;
    throw new CheckpointError(
      `${origin}: ${field} has other ids: ${at} was "${saved[at]}" and is "${tokens[at]}"; ` +
        'restore the data set, or train anew',
    );
  }
}

function fieldText(field: {
  readonly name: string;
  readonly cardinality: number;
  readonly source: string;
  readonly maxLength?: number;
}): string {
  const { name, source, cardinality, maxLength } = field;
  const length = maxLength === undefined ? '' : ` in sequences of ${maxLength}`;
  return `${name} of ${cardinality} ids${length} (.${source})`;
}

/** Throws CheckpointError if rows of tables are behind, as they are within an epoch. */
export function checkWhole({ path, run }: Checkpoint): void {
  if (run === null || run.done === 0) return;
  throw new CheckpointError(
    `checkpoint ${path}: stands in the middle of epoch ${run.epoch}, where some rows are still behind; ` +
      'go on with --resume, or give best.ckpt',
  );
}

/** Puts a checkpoint's model into a runner, for evaluation. Throws CheckpointError. */
export function restoreModel(runner: Runner, checkpoint: Checkpoint): void {
  checkWhole(checkpoint);
  putTensors(runner.store, checkpoint.tensors, `checkpoint ${checkpoint.path}`, 'parameter', 'state');
}
