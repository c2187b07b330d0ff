import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { generalOptions } from '../config/options.js';
import { ConfigError } from '../errors.js';
import { atomicWrite } from '../files.js';
import { readResult, resultPath, type RunResult } from '../train/result.js';
import { lastPath } from '../train/keeper.js';
import { cellName, type Cell, type Plan } from './cell.js';

/** Where a cell stands. */
export type CellState =
  | { readonly kind: 'finished'; readonly run: string; readonly result: RunResult }
  | { readonly kind: 'begun'; readonly checkpoint: string }
  | { readonly kind: 'fresh' };

/** The folder of an experiment. */
export function experimentFolder(checkpointDir: string, name: string): string {
  if (/^[\w.+@-]{1,120}$/.test(name) && !name.startsWith('.'))
    return join(checkpointDir, 'experiments', name);
  throw new ConfigError(`--name=${name}: not fit for a folder; give up to 120 letters, digits and . _ + @ -`);
}

/** The folder that is a cell's --checkpoint_dir. */
export const cellFolder = (folder: string, cell: Cell): string => join(folder, 'cells', cellName(cell));

/** What a cell's process printed, of all its starts. */
export const outputPath = (folder: string, cell: Cell): string =>
  join(cellFolder(folder, cell), 'output.log');

const planPath = (folder: string) => join(folder, 'plan.json');

/** The plan of an experiment that was begun, or null. Throws ConfigError if it is damaged. */
export function readPlan(folder: string): Plan | null {
  const path = planPath(folder);
  if (!existsSync(path)) return null;
  try {
    const { version, ...plan } = JSON.parse(readFileSync(path, 'utf8')) as Plan & {
      readonly version: number;
    };
    if (version === 1 && Array.isArray(plan.cells)) return plan;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ConfigError(`${path}: damaged; delete it, and the same plan goes on with its cells`);
}

/**
 * Keeps the plan under its name. A plan whose results would be others than those of the plan that is there is
 * refused with a ConfigError; `extend` takes one that has all its cells and more.
 */
export async function keepPlan(folder: string, plan: Plan, extend: boolean): Promise<void> {
  const before = readPlan(folder);
  if (before !== null) {
    const change = changeOf(before, plan, extend);
    if (change !== null) throw new ConfigError(`${folder}: planned otherwise before: ${change}`);
  }
  mkdirSync(folder, { recursive: true });
  await atomicWrite(planPath(folder), `${JSON.stringify({ version: 1, ...plan }, null, 1)}\n`);
}

function changeOf(before: Plan, plan: Plan, extend: boolean): string | null {
  const now = new Map(plan.cells.map((cell) => [cellName(cell), meaning(cell)]));
  const then = new Map(before.cells.map((cell) => [cellName(cell), meaning(cell)]));
  for (const [name, options] of then) {
    const other = now.get(name);
    if (other === undefined) {
      return `${name} was planned then and is not now; give another --name, or all its cells and --extend`;
    }
    if (other !== options) return `${name} had ${options}, now ${other}; give another --name`;
  }
  const added = [...now.keys()].filter((name) => !then.has(name));
  if (added.length === 0 || extend) return null;
  return `${added[0]} is new (${then.size} cells then, ${now.size} now); give --extend to add it, or another --name`;
}

/** The options of a cell that decide its result. */
function meaning({ options }: Cell): string {
  const deciding = Object.entries(options).filter(([name]) => !Object.hasOwn(generalOptions, name));
  return deciding.length === 0
    ? 'no options'
    : deciding
        .map(([name, value]) => `--${name}=${value}`)
        .sort()
        .join(' ');
}

/** Where the cell stands, by its run folders. */
export async function cellState(folder: string, cell: Cell): Promise<CellState> {
  const runs = runFolders(cellFolder(folder, cell));
  const finished = runs.find((run) => existsSync(resultPath(run)));
  if (finished !== undefined) return { kind: 'finished', run: finished, result: await readResult(finished) };
  const begun = runs.find((run) => existsSync(lastPath(run)));
  return begun === undefined ? { kind: 'fresh' } : { kind: 'begun', checkpoint: lastPath(begun) };
}

/** Run folders of a cell, the latest first; they are named by time. */
function runFolders(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).map((name) => join(folder, name));
  return names
    .filter((path) => statSync(path).isDirectory())
    .sort()
    .reverse();
}

/** Removes run folders in which nothing was kept: of processes that ended before their first checkpoint. */
export function removeEmptyRuns(folder: string, cell: Cell): void {
  for (const run of runFolders(cellFolder(folder, cell))) {
    if (!existsSync(lastPath(run)) && !existsSync(resultPath(run)))
      rmSync(run, { recursive: true, force: true });
  }
}

/** The last line that the cell's process printed, or null. */
export function lastLine(folder: string, cell: Cell): string | null {
  const path = outputPath(folder, cell);
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1) ?? null;
}
