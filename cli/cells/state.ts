import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lastPath } from '../train/keeper.js';
import { readResult, resultPath, type RunResult } from '../train/result.js';

/** Where a training stands that has a folder of its own. */
export type CellState =
  | { readonly kind: 'finished'; readonly run: string; readonly result: RunResult }
  | { readonly kind: 'begun'; readonly run: string }
  | { readonly kind: 'fresh' };

/** What a training's process printed, of all its starts. */
export const outputPath = (folder: string): string => join(folder, 'output.log');

/** The run folders of a training, the latest first; they are named by time. */
export function runFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .map(({ name }) => join(folder, name))
    .sort()
    .reverse();
}

/** Where the training in a folder stands. Throws DataError if its result is damaged. */
export async function stateOf(folder: string): Promise<CellState> {
  const runs = runFolders(folder);
  const finished = runs.find((run) => existsSync(resultPath(run)));
  if (finished !== undefined) return { kind: 'finished', run: finished, result: await readResult(finished) };
  const begun = runs.find((run) => existsSync(lastPath(run)));
  return begun === undefined ? { kind: 'fresh' } : { kind: 'begun', run: begun };
}

/** Removes run folders in which nothing was kept: of processes that ended before their first checkpoint. */
export function removeEmptyRuns(folder: string): void {
  for (const run of runFolders(folder)) {
    if (!existsSync(lastPath(run)) && !existsSync(resultPath(run)))
      rmSync(run, { recursive: true, force: true });
  }
}
