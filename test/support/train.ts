import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { readCheckpoint, type Checkpoint } from '../../cli/checkpoint.js';
import { syntheticSpec, writeSynthetic } from '../../data/synthetic.js';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `node <script> …argv` in `folder`, to its end; `heard` sees what has come on stdout so far. */
export function node(
  folder: string,
  [script, ...argv]: readonly string[],
  heard: (out: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...argv], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      heard(out, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    // Dawn writes what it thinks of some drivers' limits straight to stderr.
    const ours = () => err.replace(/^Warning: max.*\n/gm, '');
    child.on('close', (code, signal) => done({ code, signal, out, err: ours() }));
  });
}

/** The command itself, and the one that sends itself a signal at a moment. */
export const trainScript = resolve('cli/train.js');
export const trainChild = fileURLToPath(new URL('train_child.js', import.meta.url));

/** A folder with a small data set `tiny` in dataset/, gone when the process ends. */
export async function tinyFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'train-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const spec = syntheticSpec({ name: 'tiny', users: 60, items: 80, interactions: 1500 });
  await writeSynthetic(spec, join(folder, 'dataset'));
  return folder;
}

/** The run folders below `saved` of `folder`. */
export function runs(folder: string): string[] {
  return readdirSync(join(folder, 'saved')).map((name) => join(folder, 'saved', name));
}

/** Everything that a run came to, but for how it was called. */
export async function outcome(run: string): Promise<{ best: Checkpoint; last: Checkpoint }> {
  const [best, last] = await Promise.all(
    ['best.ckpt', 'last.ckpt'].map((name) => readCheckpoint(join(run, name))),
  );
  return { best, last };
}

/** Fails unless two checkpoints hold the same bits. */
export function sameBits(actual: Checkpoint, expected: Checkpoint): void {
  assert.equal([...actual.tensors.keys()], [...expected.tensors.keys()]);
  for (const [name, { data }] of actual.tensors) {
    const bits = (values: typeof data) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    assert.ok(bits(data).equals(bits(expected.tensors.get(name)?.data ?? new Uint32Array(0))), name);
  }
  for (const key of ['epochs', 'valid', 'run', 'adapter', 'data'] as const) {
    assert.equal(actual[key], expected[key], key);
  }
}
