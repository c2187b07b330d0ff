import { fromFlags } from './config/assignment.js';
import { parseFlags, type Flags } from './config/flags.js';
import { helpText, type CommandHelp } from './config/help.js';
import { findModel, type ModelOptions } from './config/models.js';
import { trainingOptions } from './config/options.js';
import { pick, resolveRun, type PrepareDataset } from './config/resolve.js';
import { sections } from './config/sections.js';
import type { LoadedConfig } from './config/train_config.js';

/** What a command line asks for: help, a run that goes on from a checkpoint, or a new run. */
export type TrainRequest =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'resume'; readonly checkpoint: string; readonly flags: Flags }
  | ({ readonly kind: 'run' } & LoadedConfig);

const trainHelp: CommandHelp = {
  name: 'train',
  summary: 'Trains a model, keeps its best epoch and tests it.',
  examples: [
    'node cli/train.js --model=FM --dataset=sample --multi_cls=5',
    'node cli/train.js --model=NFM --dataset=ml-1m "--mlp_hidden_size=[256, 256, 256]"',
  ],
};

function helpModel(flags: Flags, models: readonly ModelOptions[]): ModelOptions | null {
  const name = flags.get('model');
  return typeof name === 'string' ? findModel(name, models) : null;
}

/**
 * Reads the command line of a training run: defaults ← model ← data set ← point evaluation ← config files ←
 * flags. `prepare` may make the data set once its name is known. Throws ConfigError.
 */
export async function loadTrainConfig(
  argv: readonly string[],
  models: readonly ModelOptions[],
  prepare: PrepareDataset = async () => {},
): Promise<TrainRequest> {
  const flags = parseFlags(argv);
  if (flags.has('help')) {
    return { kind: 'help', text: await helpText(trainHelp, sections(helpModel(flags, models))) };
  }
  const assignments = fromFlags(flags);
  const checkpoint = pick(trainingOptions.resume, 'resume', assignments) ?? null;
  if (checkpoint !== null) return { kind: 'resume', checkpoint, flags };
  return { kind: 'run', ...(await resolveRun(assignments, models, prepare)) };
}
