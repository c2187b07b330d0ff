import { readCheckpoint } from './checkpoint.js';
import { readCommand } from './config/flags.js';
import type { CommandHelp } from './config/help.js';
import { text, type OptionTable } from './config/option.js';
import { configFromRecord } from './config/saved.js';
import { ConfigError } from './errors.js';
import { models } from '../models/index.js';
import { checkWhole } from './open.js';
import { weightsOf } from './weights.js';
import { idsPath, writeIdMaps } from './weights/ids.js';
import { writeSafetensors } from './weights/safetensors.js';

const help: CommandHelp = {
  name: 'export',
  summary:
    "Writes the weights of a checkpoint as safetensors, under the names and shapes of the reference's state_dict, " +
    'and beside them the tokens of every field in the order of their ids.',
  examples: ['node cli/export.js --checkpoint=saved/<run>/best.ckpt --to=weights.safetensors'],
};

const options = {
  checkpoint: text('', 'the trained model: best.ckpt of a run'),
  to: text('', 'the file to write, ending in .safetensors; ids go to <name>.ids.json beside it'),
} as const satisfies OptionTable;

/** The command `export`. Throws ConfigError, CheckpointError or the system's error. */
export async function main(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, help, options);
  if ('help' in request) return void console.log(request.help);
  const { checkpoint: path, to } = request.values;
  if (!to.endsWith('.safetensors')) {
    throw new ConfigError(
      `--to=${to}: not a kind of file that is written here; give a name that ends in .safetensors`,
    );
  }
  const checkpoint = await readCheckpoint(path);
  checkWhole(checkpoint);
  const { model, dataset } = configFromRecord(checkpoint.config, models, `checkpoint ${path}`);
  const weights = weightsOf(checkpoint);
  await writeSafetensors(to, weights, { format: 'pt', model, dataset });
  await writeIdMaps(idsPath(to), checkpoint);
  const count = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  console.log(`${model}: ${weights.size} tensors, ${count.toLocaleString('en-US')} numbers, in ${to}`);
  console.log(
    `ids of ${checkpoint.vocabularies.size} fields in ${idsPath(to)}; read again with --weights=${to}`,
  );
}
