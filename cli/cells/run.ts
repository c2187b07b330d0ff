import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../config/files.js';
import { resumableOptions } from '../config/options.js';
import { epochEvents, historyPath, readEvents, type EpochEvent } from '../train/history.js';
import { lastPath } from '../train/keeper.js';
import { waitForLock, writeLock } from './lock.js';
import { outputPath, removeEmptyRuns, runFolders, stateOf, type CellState } from './state.js';

/** One training as a process of its own, in a folder of its own. */
export interface Training {
  /** Its checkpoint_dir; holds one run folder, and what its process printed. */
  readonly folder: string;
  /** Flags of `train` without checkpoint_dir, each of one word. */
  readonly argv: readonly string[];
  /** Aborted when the training is to stop where it can go on later. */
  readonly signal: AbortSignal;
  /** Told each epoch once, in order, also those of before; false ends the training there for good. */
  readonly follow?: (epoch: EpochEvent) => boolean;
}

/** How a training ended. `ended` is what `follow` asked for, `stopped` what the signal did. */
export type Ending =
  | Extract<CellState, { kind: 'finished' }>
  | { readonly kind: 'ended'; readonly run: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: string };

// Often enough that a bad epoch is not followed by many more, seldom enough to cost nothing.
const pollMs = 100;

/**
 * Trains, or goes on with what is in the folder, until the end, an abort of the signal or a no of `follow`. A folder
 * whose training is done starts nothing. Throws ConfigError if another process does not leave the folder, DataError if
 * what it left there is damaged.
 */
export async function runTraining(training: Training): Promise<Ending> {
  const { folder, signal } = training;
  const lock = join(folder, 'lock');
  mkdirSync(folder, { recursive: true });
  // One whose parent was killed may still be saving.
  await waitForLock(lock);
  const look = follower(training);
  const before = await endOf(folder, look);
  if (before !== null) return before;
  if (signal.aborted) return { kind: 'stopped' };
  const reason = await trainProcess(training, await flagsOf(training), lock, look);
  rmSync(lock, { force: true });
  const end = await endOf(folder, look);
  if (end !== null) return end;
  return signal.aborted ? { kind: 'stopped' } : { kind: 'failed', reason };
}

/** How the training in a folder has ended, or null. */
async function endOf(folder: string, look: () => Promise<boolean>): Promise<Ending | null> {
  const state = await stateOf(folder);
  if (state.kind !== 'fresh' && !(await look())) return { kind: 'ended', run: state.run };
  return state.kind === 'finished' ? state : null;
}

/** Hands new epochs to `follow` at each call; resolves to whether the training is to go on. */
function follower({ folder, follow }: Training): () => Promise<boolean> {
  let [next, wanted] = [0, true];
  return async () => {
    const [run] = runFolders(folder);
    if (follow === undefined || run === undefined || !existsSync(historyPath(run))) return wanted;
    for (const event of epochEvents(await readEvents(run))) {
      if (!wanted || event.epoch < next) continue;
      next = event.epoch + 1;
      wanted = follow(event);
    }
    return wanted;
  };
}

/** Flags that begin the training, or that go on with what an interruption left; what cannot go on is removed. */
async function flagsOf({ folder, argv }: Training): Promise<readonly string[]> {
  removeEmptyRuns(folder);
  const state = await stateOf(folder);
  if (state.kind !== 'begun') {
    // Others are to train on the same data, and read it five times faster.
    const isSaid = argv.some((flag) => flag.startsWith('--save_dataset'));
    return [...argv, `--checkpoint_dir=${folder}`, ...(isSaid ? [] : ['--save_dataset=True'])];
  }
  // All that decides the result comes from the checkpoint.
  const again = argv.filter((flag) => resumableOptions.has(flag.slice(2).split('=')[0]));
  return [`--resume=${lastPath(state.run)}`, ...again];
}

/**
 * `node cli/train.js …` to its end; it is stopped in order when the signal comes, when `look` says no, and when this
 * process is gone. Resolves to how it ended, for one that came to no result.
 */
async function trainProcess(
  { folder, signal, follow }: Training,
  flags: readonly string[],
  lock: string,
  look: () => Promise<boolean>,
): Promise<string> {
  const path = outputPath(folder);
  const output = openSync(path, 'a');
  const { size } = statSync(path);
  const child = fork(join(packageRoot(), 'cli', 'train.js'), [...flags, '--show_progress=False'], {
    execArgv: [...process.execArgv, '--import', new URL('orphan.js', import.meta.url).href],
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const exit = once(child, 'exit') as Promise<[code: number | null, by: string | null]>;
  if (child.pid !== undefined) writeLock(lock, child.pid);
  // Not SIGINT: the terminal has sent that to the child as well, and a second one would end it at once.
  const stop = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const gone = exit.then(() => true);
    let isAsked = follow === undefined;
    while (!isAsked && !(await Promise.race([gone, sleep(pollMs, false)]))) {
      isAsked = !(await look());
      if (isAsked) stop();
    }
    const [code, by] = await exit;
    const how = by === null ? `exit code ${code}` : `ended by ${by}`;
    return `${how}: ${lastLine(readFileSync(path).subarray(size).toString()) ?? 'nothing was printed'}`;
  } finally {
    signal.removeEventListener('abort', stop);
    stop(); // where looking at it failed
  }
}

/** The last line that says something; what is indented below an error is its stack. */
const lastLine = (text: string): string | undefined =>
  text.split('\n').findLast((line) => /^[^\s}]/.test(line));
