import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigValue } from '../config/literal.js';
import { ConfigError } from '../errors.js';
import { takeLock } from '../cells/lock.js';
import { atomicWrite } from '../files.js';
import type { Metrics } from '../train/state.js';
import type { Curve } from './prune.js';
import type { Params } from './space.js';

/** A trial that ended, as a line of trials.jsonl. */
export interface Trial {
  /** From 0. */
  readonly trial: number;
  readonly params: Params;
  readonly state: 'complete' | 'pruned' | 'failed';
  /** Best valid score; null if there is none. */
  readonly score: number | null;
  readonly best_epoch: number;
  readonly curve: Curve;
  readonly valid: Metrics | null;
  readonly test: Metrics | null;
  readonly seconds: number;
  /** Folder of the run; null if it failed before there was one. */
  readonly run: string | null;
  /** Why it failed. */
  readonly error?: string;
}

/** What must not change while a study goes on, by the name to mention. */
export type StudyRecord = { readonly [name: string]: ConfigValue };

/** A study's folder, held by this process alone. */
export interface Study {
  readonly folder: string;
  readonly trials: readonly Trial[];
  /** checkpoint_dir of a trial. */
  trialFolder(trial: number): string;
  /** Adds a trial; it is on the disk when the promise is kept. */
  add(trial: Trial): Promise<void>;
  /** Lets others have the folder. */
  close(): void;
}

/** Makes the study's folder, or goes on with it. Throws ConfigError if it is another study, or in use. */
export async function openStudy(folder: string, record: StudyRecord): Promise<Study> {
  mkdirSync(folder, { recursive: true });
  const lock = takeLock(join(folder, 'lock'));
  try {
    await checkSame(folder, record);
    const path = join(folder, 'trials.jsonl');
    const trials = readTrials(path);
    return {
      folder,
      trials,
      trialFolder: (trial) => join(folder, 'trials', String(trial)),
      async add(trial) {
        trials.push(trial);
        // All of it anew, so that a crash cannot leave half a line; a study has hundreds, not millions.
        await atomicWrite(path, trials.map((one) => `${JSON.stringify(one)}\n`).join(''));
      },
      close: lock.release,
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function readTrials(path: string): Trial[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => {
    try {
      const trial = JSON.parse(line) as Trial;
      if (trial.trial === i) return trial;
    } catch {
      // told below
    }
    throw new ConfigError(
      `${path}:${i + 1}: is not trial ${i}; remove this line and all after it, or the study`,
    );
  });
}

async function checkSame(folder: string, record: StudyRecord): Promise<void> {
  const path = join(folder, 'study.json');
  if (!existsSync(path)) return atomicWrite(path, `${JSON.stringify(record, null, 2)}\n`);
  const before = JSON.parse(readFileSync(path, 'utf8')) as StudyRecord;
  const names = new Set([...Object.keys(before), ...Object.keys(record)]);
  for (const name of names) {
    const [was, is] = [before[name], record[name]].map((value) => JSON.stringify(value) ?? 'not given');
    if (was === is) continue;
    throw new ConfigError(
      `${folder}: is a study whose ${name} is ${was}, not ${is}; give another --name, or remove that folder`,
    );
  }
}
