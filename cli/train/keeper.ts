import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  CheckpointError,
  checkpointWriter,
  readCheckpoint,
  type Progress,
  type RunIdentity,
  type Tensors,
} from '../checkpoint.js';

/** Keeps the best model of a run and the state to go on from. */
export interface Keeper {
  /** Keeps a model as the best. */
  keepBest(progress: Progress): Promise<void>;
  /** Keeps everything that is needed to go on. */
  keepLast(progress: Progress): Promise<void>;
  /** The tensors of the best model. */
  best(): Promise<Tensors>;
}

/** The best model's file and the file to go on from, in the folder of a run. */
export const bestPath = (folder: string): string => join(folder, 'best.ckpt');
export const lastPath = (folder: string): string => join(folder, 'last.ckpt');

/**
 * Keeps both in files of the run's folder. Its promises reject with the system's error; old files are whole
 * then.
 */
export function fileKeeper(folder: string, identity: RunIdentity): Keeper {
  const writer = checkpointWriter(identity);
  return {
    keepBest: (progress) => writer.write(bestPath(folder), progress),
    keepLast: (progress) => writer.write(lastPath(folder), progress),
    best: async () => (await readCheckpoint(bestPath(folder))).tensors,
  };
}

/** Keeps the best model in memory and nothing to go on from (--saved=False). */
export function memoryKeeper(before: Tensors | null): Keeper {
  let kept = before;
  return {
    async keepBest({ tensors }) {
      kept = tensors;
    },
    async keepLast() {},
    async best() {
      if (kept === null) throw new Error('keeper: no model was kept');
      return kept;
    },
  };
}

/**
 * The best model of a run that goes on from a file of `folder`. Throws CheckpointError if it is not there.
 */
export async function bestBefore(folder: string, epoch: number): Promise<Tensors> {
  const path = bestPath(folder);
  if (!existsSync(path)) {
    throw new CheckpointError(
      `checkpoint ${path}: the best model, of epoch ${epoch}, is not beside the run to go on with; ` +
        'put it back',
    );
  }
  return (await readCheckpoint(path)).tensors;
}
