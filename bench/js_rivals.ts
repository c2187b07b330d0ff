import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tokenFields } from './data.js';
import type { Effort } from './measure.js';
import { Rival, ours, type Command, type Opened, type TrainingSizes } from './rival.js';
import {
  ourContenders,
  race,
  threadCounts,
  training,
  type Absence,
  type Contender,
  type RivalRow,
} from './rivals.js';

const folder = fileURLToPath(new URL('../../bench/rivals/', import.meta.url));

const installJsRivals =
  'jax-js and TensorFlow.js are not installed and left out; npm ci --prefix bench/rivals';

const script = (name: string, ...args: string[]): Command => ({
  program: process.execPath,
  args: [join(folder, name), ...args],
});

/** What a rival says of itself, or a note of why it does not start. */
async function contender(command: Command): Promise<Contender | string> {
  try {
    const { rival, greeting } = await Rival.start(command);
    await rival.end();
    const threads = greeting.threads === undefined ? '' : `, ${greeting.threads} threads`;
    return { name: `${greeting.name}${threads}`.replace(/\b1 threads/, '1 thread'), command, isTorch: false };
  } catch (error) {
    return `${command.args.slice(-2).join(' ')}: ${(error as Error).message}`;
  }
}

/** jax-js on WebAssembly and, where Dawn finds an adapter, WebGPU; TensorFlow.js; notes of those that are left out. */
export async function jsContenders(): Promise<{ theirs: Contender[]; notes: string[] }> {
  if (!existsSync(join(folder, 'node_modules'))) return { theirs: [], notes: [installJsRivals] };
  const commands = [
    ...threadCounts().map((threads) => script('jax_step.js', 'wasm', String(threads))),
    script('jax_step.js', 'webgpu'),
    ...['wasm', 'cpu'].map((backend) => script('tf_step.js', backend)),
  ];
  const found: (Contender | string)[] = [];
  for (const command of commands) found.push(await contender(command));
  return {
    theirs: found.filter((one) => typeof one !== 'string'),
    notes: found.filter((one) => typeof one === 'string').map((note) => note.replace(`${folder}`, '')),
  };
}

/** Writes the weights and batches that our trainer has on the CPU target; every adapter has the same. */
export async function writeOurStart(sizes: TrainingSizes, to: string): Promise<void> {
  const { rival } = await Rival.start(ours('cpu', 1));
  try {
    await rival.ask<Opened>({ open: { ...sizes, fields: tokenFields(sizes.vocabulary) } });
    await rival.ask({ write: to });
  } finally {
    await rival.end();
  }
}

/** The trainings in which they are compared: the paper's small ones. */
export const jsTrainings: readonly TrainingSizes[] = ['FM', 'NFM'].map((model) => training(model, 1));

/** Times a training beside the rivals in JavaScript, all from the same weights on the same batches. */
export async function raceJs(
  theirs: readonly Contender[],
  adapter: string,
  sizes: TrainingSizes,
  effort: Effort,
): Promise<{ rivals: RivalRow[]; absent: Absence[] }> {
  const start = mkdtempSync(join(tmpdir(), 'ctr-start-'));
  try {
    await writeOurStart(sizes, start);
    const all = [...(await ourContenders(adapter)), ...theirs];
    return await race(all, sizes, effort, start);
  } finally {
    rmSync(start, { recursive: true });
  }
}
