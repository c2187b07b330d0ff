import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cpuAdapter, findAdapter, listAdapters } from '../engine/adapter.js';
import { tokenFields, uniforms } from './data.js';
import { Rival, findTorch, torch, type Opened, type Trained, type TrainingSizes } from './rival.js';

/** What a process says that has trained one step. */
export interface FirstStep {
  /** When the step was done: milliseconds since 1970. */
  readonly ended: number;
  /** Time for data, which does not count. */
  readonly dataMs: number;
  /** Milliseconds by what they were for; modules counts from when Node began to run. */
  readonly parts: Readonly<Record<'modules' | 'device' | 'compiling' | 'step', number>>;
}

/** From the start of a process to the end of its first training step, without data; the shortest of some tries. */
export interface StartRow {
  readonly name: string;
  readonly ms: number;
  readonly medianMs: number;
  /** Of the shortest. */
  readonly parts?: FirstStep['parts'];
}

interface Start {
  readonly ms: number;
  readonly parts?: FirstStep['parts'];
}

const now = () => performance.timeOrigin + performance.now();

/** Interactions of the data set; four fifths of them are trained on, in one step. */
const rows = 1000;

/** Writes a tiny data set called `bench` into a folder. */
function writeTiny(folder: string): void {
  const random = uniforms(rows);
  const below = (count: number) => Math.floor(count * random());
  const lines = Array.from({ length: rows }, () => `u${below(60)}\ti${below(40)}\t${1 + below(5)}`);
  mkdirSync(join(folder, 'bench'));
  const text = ['user_id:token\titem_id:token\trating:float', ...lines, ''].join('\n');
  writeFileSync(join(folder, 'bench', 'bench.inter'), text);
}

async function ourStart(adapter: string, model: string, folder: string): Promise<Start> {
  const program = fileURLToPath(new URL('./first_step.js', import.meta.url));
  const args = [`--model=${model}`, '--dataset=bench', `--data_path=${folder}`, "--threshold={'rating': 4}"];
  const began = now();
  const child = spawn(process.execPath, [program, ...args, `--adapter=${adapter}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Drivers warn a lot there, which matters only where nothing else is said.
  const [said, warned] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === '') throw new Error(`start: no answer for ${adapter}: ${warned.trim().slice(-2000)}`);
  const { ended, dataMs, parts } = JSON.parse(said) as FirstStep;
  return { ms: ended - began - dataMs, parts };
}

/** As little for PyTorch, whose data is invented. */
const tiny: TrainingSizes = {
  ...{ model: 'FM', classes: 1, batch: 800, vocabulary: 100, embeddingSize: 16, epochSteps: 1 },
};

async function torchStart(python: string, threads: number, model: string): Promise<Start> {
  const began = now();
  const { rival } = await Rival.start(torch(python, threads));
  const open = { ...tiny, model, fields: tokenFields(tiny.vocabulary) };
  const { dataMs } = await rival.ask<Opened>({ open });
  await rival.ask<Trained>({ train: 1 });
  const ms = now() - began - dataMs;
  await rival.end();
  return { ms };
}

/** Starts by turns, so that whatever else the machine does meets all. */
async function measureStarts(
  starts: ReadonlyMap<string, () => Promise<Start>>,
  tries: number,
): Promise<StartRow[]> {
  const all = new Map<string, Start[]>([...starts.keys()].map((name) => [name, []]));
  for (let i = 0; i < tries; i++) for (const [name, start] of starts) all.get(name)?.push(await start());
  return [...all].map(([name, list]) => {
    const sorted = list.sort((a, b) => a.ms - b.ms);
    const [{ ms, parts }] = sorted;
    return { name, ms, parts, medianMs: sorted[Math.floor(sorted.length / 2)].ms };
  });
}

/** Times starts on every adapter that can be had, or on that of a choice, and of PyTorch where there is one. */
export async function benchStarts(choice: string, model: string, tries: number): Promise<StartRow[]> {
  const found = choice === 'auto' ? await listAdapters() : [await findAdapter(choice)];
  const python = await findTorch();
  const folder = mkdtempSync(join(tmpdir(), 'ctr-bench-'));
  try {
    writeTiny(folder);
    const starts = new Map(
      found.map(({ name, kind }) => [name, () => ourStart(kind === 'cpu' ? 'cpu' : name, model, folder)]),
    );
    if (python !== undefined) starts.set('PyTorch', () => torchStart(python, cpuAdapter().cores, model));
    return await measureStarts(starts, tries);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
