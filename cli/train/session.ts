import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { BatchOrder, splitDataset } from '../../data/dataset.js';
import { ratingEdges, withRatingClasses } from '../../data/rating_bins.js';
import type { Dataset, Split } from '../../data/schema.js';
import { statistics } from '../../data/stats.js';
import type { Device } from '../../engine/index.js';
import { models, packFeatures, type Features, type Model, type Program } from '../../models/index.js';
import {
  CheckpointError,
  putTensors,
  readCheckpoint,
  type Checkpoint,
  type RunIdentity,
} from '../checkpoint.js';
import { describeConfig } from '../config/describe.js';
import type { Flags } from '../config/flags.js';
import { findModel } from '../config/models.js';
import { configFromRecord, configToRecord, resumeConfig } from '../config/saved.js';
import type { LoadedConfig, TrainConfig } from '../config/train_config.js';
import { DataError } from '../../data/errors.js';
import type { Logger } from '../logger.js';
import {
  adapterLine,
  checkSameData,
  checkSameIds,
  dataIdentity,
  learningRates,
  openDataset,
  openDevice,
  openRunner,
  programOf,
} from '../open.js';
import type { Progress } from '../progress.js';
import type { Runner } from '../runner.js';
import { freshRun, type Session } from '../trainer.js';
import { checkIdsOf, putWeights, readWeights, type Weights } from '../weights.js';
import { checkTraining, partOf, type Part } from './evaluation.js';
import { bestBefore, fileKeeper, memoryKeeper, type Keeper } from './keeper.js';
import { LipschitzMeter } from './lipschitz.js';
import { memoryLines } from './report.js';
import type { RunState } from './state.js';

/** What is to be done: a new run, or one that goes on. */
export interface Plan extends LoadedConfig {
  readonly before: Checkpoint | null;
}

/** A run to go on with. Throws CheckpointError or ConfigError. */
export async function planResumed(path: string, flags: Flags): Promise<Plan> {
  const before = await readCheckpoint(path);
  if (before.run === null) {
    throw new CheckpointError(`checkpoint ${path}: holds a model, not a run; go on from last.ckpt`);
  }
  const config = configFromRecord(before.config, models, `checkpoint ${path}`);
  return { before, ...resumeConfig(config, flags, models) };
}

/** Where lines and progress go, and the folder of the run; null without files. */
export interface Surroundings {
  readonly folder: string | null;
  readonly logger: Logger;
  readonly progress: Progress;
  readonly saveEveryMs: number;
}

/** A run that is ready to train. */
export interface Ready {
  readonly session: Omit<Session, 'signal'> & { readonly meter: LipschitzMeter | null };
  readonly start: RunState;
  readonly device: Device;
}

/** The data of a run. */
interface Material {
  /** With the classes that were found in the data. */
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly split: Split;
  readonly features: Features;
  readonly valid: Part | null;
  readonly test: Part | null;
}

/**
 * Loads the data, opens the device and compiles; prints what there is to know. Throws ConfigError, DataError,
 * CheckpointError, AdapterError, DeviceError, ShapeError, KernelError.
 */
export async function openSession(plan: Plan, around: Surroundings): Promise<Ready> {
  const { before } = plan;
  const { logger } = around;
  const model = findModel(plan.config.model, models);
  logger.info(describeConfig(plan.config, model));
  for (const note of plan.notes) logger.info(note);
  for (const note of model.notes?.(plan.config.model_options as Program['options']) ?? [])
    logger.warning(note);
  const weights = before === null ? await initialWeights(plan.config, model) : null;
  const material = await openMaterial(plan.config, logger);
  const { config, dataset, split, features } = material;
  const program = programOf(config, dataset);
  if (before !== null) {
    checkSameIds(before, dataset);
    checkSameData(before, features);
  }
  if (weights !== null) checkIdsOf(weights, dataset);
  const startedMs = performance.now();
  const device = await openDevice(config);
  logger.info(adapterLine(device));
  try {
    const openedMs = performance.now();
    const runner = await openRunner(device, config, program, features, split.train.length);
    logger.info(coldStartLine(openedMs - startedMs, performance.now() - openedMs));
    for (const line of memoryLines(runner)) logger.info(line);
    if (weights !== null) {
      putWeights(runner.store, weights);
      logger.info(`beginning with ${weights.origin}`);
    }
    const order = new BatchOrder(split.train, config.seed);
    const start = before === null ? freshRun(config, order) : restored(runner, before, device.name, logger);
    const identity = identityOf(config, device.name, material);
    const keeper = await keeperOf(plan, around.folder, identity, start);
    const meter = config.lipschitz
      ? await LipschitzMeter.open(runner, { config, program, features, dataset, split })
      : null;
    const { valid, test } = material;
    const learningRate = learningRates(config);
    const parts = { train: split.train, order, learningRate, valid, test };
    return { session: { config, runner, keeper, meter, ...parts, ...around }, start, device };
  } catch (error) {
    device.destroy();
    throw error;
  }
}

/** The weights that a new run begins with, if it is not to draw them. */
async function initialWeights(config: TrainConfig, model: Model): Promise<Weights | null> {
  // Read by the options that the model declares.
  const path = config.weights ?? model.initialWeights?.(config.model_options as Program['options']) ?? null;
  return path === null ? null : readWeights(path);
}

async function openMaterial(planned: TrainConfig, logger: Logger): Promise<Material> {
  const loaded = await openDataset(planned, (line) => logger.info(line));
  logger.info(statistics(loaded, planned.data));
  const split = splitDataset(loaded, planned.data);
  const { train, valid, test } = split;
  logger.info(`rows: train ${train.length}, valid ${valid.length}, test ${test.length}`);
  const { config, dataset } = binned(planned, loaded, train, logger);
  // Before packing, which trusts labels and ratings.
  programOf(config, dataset);
  checkTraining(dataset, split);
  const parts = {
    valid: partOf('valid', dataset, split, config),
    test: partOf('test', dataset, split, config),
  };
  checkParts(parts, config, logger);
  return { config, dataset, split, features: packFeatures(dataset), ...parts };
}

/** Configuration and data set with ratings merged into classes, if they are to be; edges that are known stay. */
function binned(
  config: TrainConfig,
  dataset: Dataset,
  train: Uint32Array,
  logger: Logger,
): Pick<Material, 'config' | 'dataset'> {
  const { rating_bins, data } = config;
  const { rating } = dataset;
  if (rating_bins === null || rating === null) return { config, dataset };
  const ofTrain = (ratings: Float32Array) => Float32Array.from(train, (row) => ratings[row]);
  const threshold = data.threshold?.[data.RATING_FIELD];
  const rating_edges = config.rating_edges ?? ratingEdges(ofTrain(rating), rating_bins, threshold);
  const classes = config.rating_edges === null ? withRatingClasses(dataset, rating_edges) : dataset;
  const counts = new Array<number>(rating_bins).fill(0);
  for (const one of ofTrain(classes.rating as Float32Array)) counts[one - 1]++;
  const from = ['lowest', ...rating_edges];
  const texts = counts.map((rows, k) => `${k + 1} from ${from[k]} (${rows} rows)`);
  logger.info(`rating_bins=${rating_bins}: classes ${texts.join(', ')}`);
  return { config: { ...config, rating_edges }, dataset: classes };
}

/** Says what cannot be judged; throws DataError if it is what decides on the best epoch. */
function checkParts(
  { valid, test }: { valid: Part | null; test: Part | null },
  config: TrainConfig,
  logger: Logger,
): void {
  const { valid_metric, eval_step } = config;
  const deciding = eval_step > 0 ? valid?.undefined.get(valid_metric) : undefined;
  if (deciding !== undefined) {
    throw new DataError(`valid part: ${deciding}, or choose another --valid_metric`);
  }
  if (valid === null)
    logger.warning('no rows to validate on: all epochs are trained, the last model is kept');
  if (test === null) logger.warning('no rows to test on');
  for (const part of [valid, test]) {
    for (const reason of part?.undefined.values() ?? []) logger.warning(`${part?.name} part: ${reason}`);
  }
}

function coldStartLine(adapterMs: number, compileMs: number): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const parts = `adapter ${seconds(adapterMs)}, compiling ${seconds(compileMs)}`;
  return `cold start: ${seconds(adapterMs + compileMs)} (${parts})`;
}

function identityOf(
  config: TrainConfig,
  adapter: string,
  { dataset: { schema, vocabularies }, features }: Material,
): RunIdentity {
  return { config: configToRecord(config), adapter, data: dataIdentity(features), schema, vocabularies };
}

/** WebAssembly's arithmetic is the same on every CPU, and the kernels' for any number of threads. */
const sameArithmetic = (a: string, b: string) => a === b || [a, b].every((name) => name.startsWith('CPU: '));

/** Puts everything back where it was. Throws CheckpointError. */
function restored(runner: Runner, before: Checkpoint, adapter: string, logger: Logger): RunState {
  const { path, run, tensors } = before;
  const origin = `checkpoint ${path}`;
  const steps = runner.epochSteps;
  if (run === null || run.step !== run.epoch * steps + run.done || run.done > steps) {
    throw new CheckpointError(
      `${origin}: step ${run?.step} is not step ${run?.done} of epoch ${run?.epoch}, ${steps} steps each; ` +
        'use another one',
    );
  }
  putTensors(runner.store, tensors, origin, 'parameter', 'state', 'slot');
  if (!sameArithmetic(adapter, before.adapter)) {
    logger.warning(`${origin}: written on ${before.adapter}, so bits may differ on ${adapter}`);
  }
  logger.info(`going on from ${path}: epoch ${run.epoch}, ${run.done} of ${steps} steps done`);
  return run;
}

async function keeperOf(
  { config, before }: Plan,
  folder: string | null,
  identity: RunIdentity,
  { stopping }: RunState,
): Promise<Keeper> {
  const hasBest = before !== null && stopping.bestEpoch !== -1;
  const best = hasBest ? await bestBefore(dirname(before.path), stopping.bestEpoch) : null;
  return config.saved && folder !== null ? fileKeeper(folder, identity) : memoryKeeper(best);
}
