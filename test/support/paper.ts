import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTrainConfig } from '../../cli/config.js';
import type { TrainConfig } from '../../cli/config/train_config.js';
import { trainArguments, type PaperCommand } from '../../cli/paper/lines.js';
import { paperSettings } from '../../cli/paper/settings.js';
import { syntheticSpec, writeSynthetic, type Like } from '../../data/synthetic.js';
import { models } from '../../models/index.js';

/** A folder with the paper's data sets, small and invented but with their columns; gone when the process ends. */
export async function paperFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'paper-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const like of new Set(paperSettings.map(({ dataset }) => dataset as Like))) {
    // Dense enough that their filters, 10 or 15 interactions a user and an item, leave most.
    const spec = syntheticSpec({ like, users: 40, items: 40, interactions: 1000 });
    await writeSynthetic(spec, join(folder, 'dataset'));
  }
  return folder;
}

/** What the command comes to with the data sets of `folder`; further flags as typed. */
export async function paperConfig(
  folder: string,
  command: PaperCommand,
  ...flags: readonly string[]
): Promise<TrainConfig> {
  const argv = [...trainArguments(command), `--data_path=${join(folder, 'dataset')}`, ...flags];
  const request = await loadTrainConfig(argv, models);
  if (request.kind !== 'run') throw new Error(`${argv.join(' ')}: asks for ${request.kind}`);
  return request.config;
}
