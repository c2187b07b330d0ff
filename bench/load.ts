import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { syntheticSpec, writeSynthetic, type SyntheticSpec } from '../data/synthetic.js';
import type { Loaded } from './load_once.js';
import { timesOf, type Times } from './measure.js';
import { findPython, type Command } from './rival.js';

/** Loading a data set, by one of the ways. */
export interface LoadRow extends Times {
  readonly name: string;
  readonly shape: string;
  /** How many times as fast as pandas, medians. */
  readonly overPandas?: number;
}

/** How to get pandas where there is none. */
export const installPandas =
  'pandas: none of python3 and /usr/bin/python3 has it; apt-get install python3-pandas, or pip install pandas';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** What ml-1m is like: a million interactions. */
export const usualLoad: SyntheticSpec = syntheticSpec({ like: 'ml-1m' });

/** Ways to load the set in `folder`, by name. */
async function ways({ name }: SyntheticSpec, folder: string): Promise<Map<string, Command>> {
  const flags = [`--dataset=${name}`, `--data_path=${folder}`];
  const cache = ['--save_dataset=True', `--dataset_save_path=${join(folder, 'kept.dataset')}`];
  const ours = (...more: readonly string[]): Command => {
    return { program: process.execPath, args: [here('./load_once.js'), ...flags, ...more] };
  };
  const all = new Map([
    ['atomic files', ours()],
    ['kept data set', ours(...cache)],
  ]);
  const python = await findPython('pandas');
  if (python !== undefined) {
    all.set('pandas', { program: python, args: [here('../../bench/pandas_load.py'), folder, name] });
  }
  return all;
}

/** Runs a way in a process of its own. Throws Error with what it wrote if it does not load. */
async function load({ program, args }: Command): Promise<Loaded> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, warned] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === '') throw new Error(`load: no answer from ${args[0]}: ${warned.trim().slice(-2000)}`);
  return JSON.parse(said) as Loaded;
}

/** Throws Error if two ways come to different data sets. */
function checkSame(name: string, one: Loaded, other: Loaded): void {
  const said = ({ rows, sizes }: Loaded) => JSON.stringify([rows, Object.entries(sizes).sort()]);
  if (said(one) === said(other)) return;
  throw new Error(
    `load: ${name} comes to ${said(other)}, not ${said(one)}; make bench/pandas_load.py the same`,
  );
}

/**
 * Loads an invented set from its files, from the file that keeps it processed, and with pandas where there is one: in
 * turns, each a process of its own, from the files to columns of ids, without the start of Node or Python. Our times
 * include laying the columns out for a device.
 */
export async function benchLoads(spec: SyntheticSpec, tries: number): Promise<LoadRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ctr-bench-'));
  try {
    await writeSynthetic(spec, folder);
    const all = [...(await ways(spec, folder))].map(([name, command]) => ({
      name,
      command,
      samples: [] as Loaded[],
    }));
    // Untimed: files come into the system's memory, and the kept data set is written.
    const first = await load(all[0].command);
    for (const { name, command } of all) checkSame(name, first, await load(command));
    for (let i = 0; i < tries; i++) for (const { command, samples } of all) samples.push(await load(command));
    const times = all.map(({ samples }) => timesOf(samples));
    const pandas = times[all.findIndex(({ name }) => name === 'pandas')] as Times | undefined;
    return all.map(({ name, samples }, i) => ({
      name: name === 'pandas' ? samples[0].name : name,
      shape: `${spec.interactions.toLocaleString('en-US')} interactions`,
      ...times[i],
      overPandas: pandas && pandas.medianMs / times[i].medianMs,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
