import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadTrainConfig } from '../../cli/config.js';
import type { LoadedConfig } from '../../cli/config/train_config.js';
import { ConfigError } from '../../cli/errors.js';
import { models } from './config_models.js';

const root = mkdtempSync(join(tmpdir(), 'ctr-config-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** A folder with empty data sets `toy` and the paper's, and these files; removed when the process ends. */
export function dataFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(root, 'data-'));
  for (const dataset of ['toy', 'ml-1m', 'yelp2018', 'amazon-books']) mkdirSync(join(folder, dataset));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Loads FM on the data set `toy` of `folder`, with further flags; a flag given here wins. */
export async function load(folder: string, ...flags: readonly string[]): Promise<LoadedConfig> {
  const has = (name: string) => flags.some((flag) => flag.startsWith(`--${name}=`));
  const base = ['--model=FM', '--dataset=toy'].filter((flag) => !has(flag.slice(2, flag.indexOf('='))));
  const request = await loadTrainConfig([...base, `--data_path=${folder}`, ...flags], models);
  if (request.kind !== 'run') throw new Error(`want a run, got ${request.kind}`);
  return request;
}

/** Asserts that the flags are refused with exactly this message; `*` stands for anything. */
export async function refused(folder: string, flags: readonly string[], message: string): Promise<void> {
  let error: unknown;
  try {
    await load(folder, ...flags);
  } catch (caught) {
    error = caught;
  }
  assert.instance(error, ConfigError, `${flags.join(' ')} was accepted`);
  const pattern = message.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  assert.match((error as ConfigError).message, new RegExp(`^${pattern}$`));
}
