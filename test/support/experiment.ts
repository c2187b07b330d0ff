import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Summary } from '../../cli/experiment/summary.js';

/** The command. */
export const experimentScript = resolve('cli/experiment.js');

/** The summary of an experiment, as it is on the disk. */
export function readSummary(folder: string, name: string): Summary {
  return JSON.parse(
    readFileSync(join(folder, 'saved', 'experiments', name, 'summary.json'), 'utf8'),
  ) as Summary;
}

/** Names of what is in a folder; none if it is not there. */
export const entries = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);

/** How many cells have a checkpoint to go on from but no result, and how many a result. */
export function progressOf(
  folder: string,
  name: string,
): { readonly begun: number; readonly finished: number } {
  const cells = join(folder, 'saved', 'experiments', name, 'cells');
  const runs = entries(cells).flatMap((cell) =>
    entries(join(cells, cell))
      .filter((run) => !/\.log$|lock$/.test(run))
      .map((run) => entries(join(cells, cell, run))),
  );
  const finished = runs.filter((run) => run.includes('result.json')).length;
  return { begun: runs.filter((run) => run.includes('last.ckpt')).length - finished, finished };
}

/** Starts the command, and kills its process (not its children) as soon as `when` holds; returns how it ended. */
export async function killedWhen(
  folder: string,
  argv: readonly string[],
  signal: NodeJS.Signals,
  when: () => boolean,
): Promise<{ readonly code: number | null; readonly signal: string | null; readonly err: string }> {
  const child = spawn(process.execPath, [experimentScript, ...argv], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let [err, ended] = ['', false];
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const end = new Promise<{ code: number | null; signal: string | null }>((done) =>
    child.on('exit', (code, by) => {
      ended = true;
      done({ code, signal: by });
    }),
  );
  while (!ended && !when()) await setTimeout(5);
  child.kill(signal);
  return { ...(await end), err };
}
