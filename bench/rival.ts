import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TokenField } from '../data/schema.js';
import type { StepSizes } from './step.js';

/** A training to measure: its step, and how its epochs and data look. */
export interface TrainingSizes extends StepSizes {
  /** Batches of the data set, which are trained in another order in each epoch. */
  readonly epochSteps: number;
}

/** What a rival is asked; one at a time. */
export type Request =
  | {
      /** With `from`, from the weights and on the batches of that folder: see same_start.ts. */
      readonly open: TrainingSizes & { readonly fields: readonly TokenField[]; readonly from?: string };
    }
  /** Steps, from the batch `first` of the epoch on if it is given, or else from where the last ended. */
  | { readonly train: number; readonly first?: number }
  /** Writes the weights and batches of what is open into a folder; ours only. */
  | { readonly write: string }
  | { readonly peak: true }
  | { readonly close: true };

/** What it says of itself, first of all. */
export interface Greeting {
  readonly name: string;
  /** Threads that compute, where it is known. */
  readonly threads?: number;
}

/** A model is there. */
export interface Opened {
  /** Values that are trained: the same in all rivals. */
  readonly parameters: number;
  /** Time to invent the data. */
  readonly dataMs: number;
}

/** Time of one of the steps just trained, its batch gathered and joined, and the loss of the last. */
export interface Trained {
  readonly ms: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
  readonly loss: number;
}

/** How a rival is started. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Something that trains in a process of its own, asked by lines of JSON. */
export class Rival {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private stderr = '';

  private constructor({ program, args, env }: Command) {
    this.child = spawn(program, [...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
    const { stdout, stderr, stdin } = this.child;
    stderr?.on('data', (chunk: Buffer) => (this.stderr = `${this.stderr}${chunk.toString()}`.slice(-2000)));
    // Whoever has died is noticed by what it does not answer.
    for (const source of [this.child, stdin]) source?.on('error', () => {});
    // stdout is there, as stdio is 'pipe'.
    this.lines = createInterface({ input: stdout as NonNullable<typeof stdout> })[Symbol.asyncIterator]();
  }

  /** Starts a rival and hears what it is. Throws Error with what it wrote if it ends before. */
  static async start(command: Command): Promise<{ rival: Rival; greeting: Greeting }> {
    const rival = new Rival(command);
    return { rival, greeting: await rival.answer<Greeting>() };
  }

  /** Asks for something. Throws Error with the reason where it cannot be had. */
  ask<T>(request: Request): Promise<T> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.answer<T>();
  }

  private async answer<T>(): Promise<T> {
    const line = await this.lines.next();
    if (line.done) throw new Error(`it has ended: ${this.lastWords()}`);
    const answer = JSON.parse(line.value) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** The line in which a process that failed says why. */
  private lastWords(): string {
    const lines = this.stderr.trim().split('\n');
    return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? (lines.at(-1) || 'no reason given');
  }

  /** Ends the process and waits until it has. */
  async end(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    child.stdin?.end();
    await ended;
  }
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Our engine on an adapter of a choice; `threads` for the CPU target. */
export function ours(adapter: string, threads?: number): Command {
  const args = [here('./trainer.js'), adapter, ...(threads === undefined ? [] : [String(threads)])];
  return { program: process.execPath, args };
}

/** PyTorch on this many threads, OpenMP's and the BLAS's. */
export function torch(python: string, threads: number): Command {
  const count = String(threads);
  return {
    program: python,
    args: [here('../../bench/torch_step.py'), count],
    env: {
      OMP_NUM_THREADS: count,
      OPENBLAS_NUM_THREADS: count,
      MKL_NUM_THREADS: count,
      // Threads that spin while others compute make it many times slower as soon as a core is busy with something else.
      OMP_WAIT_POLICY: process.env.OMP_WAIT_POLICY ?? 'PASSIVE',
    },
  };
}

/** How to get PyTorch where there is none. */
export const installTorch =
  'PyTorch: none of python3 and /usr/bin/python3 has it; apt-get install python3-torch libopenblas0, or pip install torch';

/** A Python that has a module, or undefined. */
export async function findPython(module: string): Promise<string | undefined> {
  const probe = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${module}") is None)`;
  for (const python of ['python3', '/usr/bin/python3']) {
    const child = spawn(python, ['-c', probe], { stdio: 'ignore' });
    const code = await new Promise((resolve) => child.on('exit', resolve).on('error', () => resolve(1)));
    if (code === 0) return python;
  }
  return undefined;
}

/** A Python that has PyTorch, or undefined. */
export const findTorch = (): Promise<string | undefined> => findPython('torch');
