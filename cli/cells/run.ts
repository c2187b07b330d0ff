import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../config/files.js';
import { waitForLock, writeLock } from '../experiment/lock.js';
import { lastPath } from '../train/keeper.js';
import type { Metrics } from '../train/state.js';

/** What a run writes after an epoch; `valid` is null where it was not evaluated. */
export interface EpochRecord {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly valid: Metrics | null;
}

/** What a run writes at its end. */
export interface ResultRecord {
  readonly event: 'result';
  readonly best_epoch: number;
  readonly valid: Metrics | null;
  readonly test: Metrics | null;
}

/** One training as a process of its own, in a folder of its own. */
export interface Cell {
  /** Its checkpoint_dir; holds one run folder. */
  readonly folder: string;
  /** Flags of `train` without checkpoint_dir. */
  readonly argv: readonly string[];
  /** Aborted when the training is to stop where it can go on later. */
  readonly signal?: AbortSignal;
  /** Told each epoch once, in order, also those of before; false ends the training there for good. */
  readonly follow?: (epoch: EpochRecord) => boolean;
}

/** How a training ended. `ended` is what `follow` asked for, `stopped` what the signal did. */
export type CellEnd =
  | { readonly kind: 'finished'; readonly run: string; readonly result: ResultRecord }
  | { readonly kind: 'ended'; readonly run: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly message: string };

// Often enough that a bad epoch is not followed by many more, seldom enough to cost nothing.
const pollMs = 100;
/** Letters of stderr that are kept to say why a training failed. */
const tailLetters = 4000;

/** The run folder in `folder`, or null. */
function runIn(folder: string): string | null {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names.length === 0 ? null : join(folder, names[names.length - 1]);
}

/** The whole lines of metrics.jsonl; an epoch that was done again after an interruption is there twice. */
function recordsOf(run: string | null): readonly (EpochRecord | ResultRecord)[] {
  const path = run === null ? '' : join(run, 'metrics.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as EpochRecord | ResultRecord];
    } catch {
      return []; // torn by a crash, and the next line after it
    }
  });
}

/** Hands each new epoch to `follow`; the state of one training's records. */
function follower(folder: string, follow: Cell['follow'] = () => true) {
  let [next, wanted] = [0, true];
  return {
    /** Whether the training is to go on. */
    look(): boolean {
      for (const record of recordsOf(runIn(folder))) {
        if (!wanted || record.event !== 'epoch' || record.epoch < next) continue;
        next = record.epoch + 1;
        wanted = follow(record);
      }
      return wanted;
    },
    end(): CellEnd | null {
      const run = runIn(folder);
      if (run === null) return null;
      if (!this.look()) return { kind: 'ended', run };
      const result = recordsOf(run).findLast((record) => record.event === 'result');
      return result?.event === 'result' ? { kind: 'finished', run, result } : null;
    },
  };
}

/** Flags that begin the training, or that go on with what an interruption left; what cannot go on is removed. */
function flagsOf({ folder, argv }: Cell): readonly string[] {
  const run = runIn(folder);
  if (run !== null && existsSync(lastPath(run))) return [`--resume=${lastPath(run)}`];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return [...argv, `--checkpoint_dir=${folder}`];
}

function start(flags: readonly string[]): { child: ChildProcess; tail: () => string } {
  const script = join(packageRoot(), 'cli', 'train.js');
  const child = fork(script, [...flags, '--show_progress=False'], {
    execArgv: [...process.execArgv, '--import', new URL('../experiment/orphan.js', import.meta.url).href],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (tail = (tail + text).slice(-tailLetters)));
  return { child, tail: () => tail };
}

/**
 * Trains, or goes on with what is in the folder, until the end, an abort of the signal or a no of `follow`. A folder
 * whose training is done starts nothing.
 */
export async function runCell(cell: Cell): Promise<CellEnd> {
  const { folder, signal } = cell;
  // One whose parent was killed may still be saving.
  const lock = `${folder}.lock`;
  await waitForLock(lock);
  const records = follower(folder, cell.follow);
  const before = records.end();
  if (before !== null) return before;
  if (signal?.aborted) return { kind: 'stopped' };
  const { child, tail } = start(flagsOf(cell));
  if (child.pid !== undefined) writeLock(lock, child.pid);
  const closed = once(child, 'close').then(([code]) => code as number | null);
  const stop = () => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  let [isDone, isAsked] = [false, false];
  void closed.then(() => (isDone = true));
  while (!isDone) {
    await Promise.race([closed, sleep(pollMs)]);
    if (isAsked || records.look()) continue;
    isAsked = true;
    stop();
  }
  signal?.removeEventListener('abort', stop);
  rmSync(lock, { force: true });
  const end = records.end();
  if (end !== null) return end;
  if (signal?.aborted) return { kind: 'stopped' };
  return { kind: 'failed', message: reason(tail(), await closed) };
}

/** The last line of stderr says why a command failed. */
function reason(tail: string, code: number | null): string {
  const plain = tail.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  return plain.at(-1) ?? (code === null ? 'ended by a signal' : `ended with ${code} and said nothing`);
}
