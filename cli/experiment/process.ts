import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../config/files.js';
import { generalOptions } from '../config/options.js';
import { cellArguments, type Cell } from './cell.js';
import { cellFolder, cellState, lastLine, outputPath, removeEmptyRuns, type CellState } from './folder.js';
import { waitForLock, writeLock } from './lock.js';

/** How a cell ended: finished, stopped as it was told to, or failed. */
export type Ending =
  | Extract<CellState, { kind: 'finished' }>
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: string };

/** What a cell's process is given beside its options. */
export interface Share {
  /** Null leaves the choice to the command. */
  readonly threads: number | null;
  readonly signal: AbortSignal;
}

const lockPath = (folder: string, cell: Cell) => join(cellFolder(folder, cell), 'lock');

/** Trains the cell to its end, from where it stands. */
export async function runCell(folder: string, cell: Cell, share: Share): Promise<Ending> {
  mkdirSync(cellFolder(folder, cell), { recursive: true });
  await waitForLock(lockPath(folder, cell));
  const before = await cellState(folder, cell);
  if (before.kind === 'finished') return before;
  if (share.signal.aborted) return { kind: 'stopped' };
  removeEmptyRuns(folder, cell);
  const { code, signal } = await trainProcess(
    folder,
    cell,
    startArguments(folder, cell, before, share),
    share,
  );
  rmSync(lockPath(folder, cell), { force: true });
  const after = await cellState(folder, cell);
  if (after.kind === 'finished') return after;
  if (share.signal.aborted) return { kind: 'stopped' };
  const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  return { kind: 'failed', reason: `${how}: ${lastLine(folder, cell) ?? 'nothing was printed'}` };
}

function startArguments(folder: string, cell: Cell, state: CellState, { threads }: Share): readonly string[] {
  const common = ['--show_progress=False', ...(threads === null ? [] : [`--threads=${threads}`])];
  if (state.kind !== 'begun') {
    return [...cellArguments(cell), `--checkpoint_dir=${cellFolder(folder, cell)}`, ...common];
  }
  // All that decides the result comes from the checkpoint.
  const general = Object.entries(cell.options).filter(([name]) => Object.hasOwn(generalOptions, name));
  return [`--resume=${state.checkpoint}`, ...general.map(([name, value]) => `--${name}=${value}`), ...common];
}

/** `node cli/train.js …`, which is stopped in order when the signal comes and when this process is gone. */
function trainProcess(
  folder: string,
  cell: Cell,
  argv: readonly string[],
  { signal: stop }: Share,
): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  const output = openSync(outputPath(folder, cell), 'a');
  const orphan = new URL('orphan.js', import.meta.url).href;
  const script = join(packageRoot(), 'cli', 'train.js');
  const child = spawn(process.execPath, ['--import', orphan, script, ...argv], {
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  if (child.pid !== undefined) writeLock(lockPath(folder, cell), child.pid);
  // Not SIGINT: the terminal has sent that to the child as well, and a second one would end it at once.
  const end = () => void child.kill('SIGTERM');
  stop.addEventListener('abort', end, { once: true });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      stop.removeEventListener('abort', end);
      done({ code, signal });
    });
  });
}
