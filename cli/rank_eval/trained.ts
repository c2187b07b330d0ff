/** What rank-eval and predict share: from a checkpoint's path to a model that scores. */
import type { Dataset } from '../../data/schema.js';
import { models, type Features } from '../../models/index.js';
import { readCheckpoint, type Checkpoint } from '../checkpoint.js';
import { configFromRecord } from '../config/saved.js';
import type { TrainConfig } from '../config/train_config.js';
import { openDevice, openRunner, programOf, restoreModel } from '../open.js';
import type { Runner } from '../runner.js';
import { checkIdsOf, putWeights, readWeights, type Weights } from '../weights.js';

/** A checkpoint and its configuration, with what the command line puts in its place. */
export interface Trained {
  readonly checkpoint: Checkpoint;
  readonly config: TrainConfig;
  /** What stands in place of the checkpoint's own weights. */
  readonly weights: Weights | null;
}

/**
 * Options that may differ from those of training: where things are, and whose weights are taken. Threads and checks
 * belong to a process and are not taken from the checkpoint, which may come from another machine or a share of this one.
 */
export interface Places {
  readonly weights?: string | null;
  readonly data_path: string | null;
  readonly adapter: string | null;
  readonly threads: number | null;
  readonly check: boolean;
}

/** Reads a checkpoint and checks it. Throws CheckpointError, ConfigError or the system's error. */
export async function readTrained(path: string, places: Places): Promise<Trained> {
  const { weights = null, data_path, adapter, threads, check } = places;
  const checkpoint = await readCheckpoint(path);
  const saved = configFromRecord(checkpoint.config, models, `checkpoint ${path}`);
  const folder = data_path ?? saved.data_path;
  const config: TrainConfig = {
    ...saved,
    data_path: folder,
    adapter: adapter ?? saved.adapter,
    threads,
    check,
    data: { ...saved.data, data_path: folder },
  };
  return { checkpoint, config, weights: weights === null ? null : await readWeights(weights) };
}

/** A trained model on a device. */
export interface TrainedModel {
  readonly runner: Runner;
  /** Rating classes, 1 for a binary model. */
  readonly classes: number;
  /** Name of the adapter, for people. */
  readonly adapter: string;
  destroy(): void;
}

/**
 * Opens the device and puts the checkpoint's model on it, for evaluation only. Throws ConfigError, CheckpointError,
 * DeviceError.
 */
export async function openTrained(
  { checkpoint, config, weights }: Trained,
  dataset: Dataset,
  features: Features,
): Promise<TrainedModel> {
  if (weights !== null) checkIdsOf(weights, dataset);
  const program = programOf(config, dataset);
  const device = await openDevice(config);
  const runner = await openRunner(device, config, program, features, 0);
  if (weights === null) restoreModel(runner, checkpoint);
  else putWeights(runner.store, weights);
  return {
    runner,
    classes: program.supervision.classes,
    adapter: device.name,
    destroy() {
      runner.destroy();
      device.destroy();
    },
  };
}
