import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, isSystemError } from '../errors.js';
import { epochEvents, historyPath, readEvents, type Event } from '../train/history.js';
import { lastPath } from '../train/keeper.js';
import { readResult, resultPath, type RunResult } from '../train/result.js';
import { headOf, type Head } from './head.js';

/** Numbers by name. */
export type Numbers = Readonly<Record<string, number>>;

/** What metrics.jsonl says of an epoch; null where it was not measured. */
export interface Epoch {
  readonly epoch: number;
  /** The training objective, summed over the batches. */
  readonly loss: number;
  readonly train: Numbers | null;
  readonly valid: Numbers | null;
  readonly lipschitz: Numbers | null;
}

/** A finished run. */
export interface Run {
  readonly folder: string;
  readonly result: RunResult;
  readonly head: Head;
  readonly epochs: readonly Epoch[];
}

/** What folders hold: finished runs, and folders of runs that are to be gone on with. */
export interface Found {
  readonly runs: readonly Run[];
  readonly unfinished: readonly string[];
}

/**
 * The runs in folders and below them, each once, in the order of their paths. Throws ConfigError if a folder
 * is not there or no run is finished, DataError if a file is damaged.
 */
export async function readRuns(folders: readonly string[]): Promise<Found> {
  if (folders.length === 0) throw new ConfigError('no folder: give those of runs or experiments, as saved/');
  const below = (await Promise.all(folders.map(foldersIn))).flat();
  const all = [...new Map(below.map((folder) => [resolve(folder), folder])).values()].sort();
  const unfinished = all.filter((one) => existsSync(lastPath(one)) && !existsSync(resultPath(one)));
  const finished = all.filter((one) => existsSync(resultPath(one)));
  if (finished.length === 0) {
    const next =
      unfinished.length > 0
        ? `finish one: node cli/train.js --resume=${lastPath(unfinished[0])}`
        : 'train one: node cli/train.js --help';
    throw new ConfigError(`${folders.join(', ')}: no finished run (with result.json) in it; ${next}`);
  }
  const runs: Run[] = [];
  // One after another: there may be more than files that can be open.
  for (const one of finished) runs.push(await readRun(one));
  return { runs, unfinished };
}

/** A folder and all below it. */
async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true });
    const inner = entries.filter((entry) => entry.isDirectory());
    return [folder, ...inner.map((entry) => join(entry.parentPath ?? entry.path, entry.name))];
  } catch (error) {
    if (!isSystemError(error) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')) throw error;
    throw new ConfigError(`${folder}: no such folder; give those of runs or experiments, as saved/`);
  }
}

async function readRun(folder: string): Promise<Run> {
  const result = await readResult(folder);
  const events = existsSync(historyPath(folder)) ? await readEvents(folder) : [];
  return { folder, result, head: headOf(result), epochs: epochEvents(events).map(epochOf) };
}

function epochOf(event: Event): Epoch {
  const { epoch, train_loss, train, valid, lipschitz } = event;
  const losses = Array.isArray(train_loss) ? train_loss.map(Number) : [Number(train_loss)];
  return {
    epoch: Number(epoch),
    loss: losses.reduce((sum, loss) => sum + loss, 0),
    train: numbersOf(train),
    valid: numbersOf(valid),
    lipschitz: numbersOf(lipschitz),
  };
}

/** The logger writes what is not finite as a text. */
function numbersOf(value: unknown): Numbers | null {
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, Number(one)]));
}

/** The epoch whose model counts: the best, or the last where none was judged. */
export function bestEpoch({ epochs, result }: Run): Epoch | undefined {
  return epochs.find(({ epoch }) => epoch === result.best_epoch) ?? epochs.at(-1);
}

/** How much better a metric is on the training rows than on those to validate on; NaN where unknown. */
export function gapAt({ train, valid }: Epoch, metric: 'AUC' | 'LogLoss'): number {
  const [ours, theirs] = [train?.[metric] ?? Number.NaN, valid?.[metric] ?? Number.NaN];
  return metric === 'AUC' ? ours - theirs : theirs - ours;
}
