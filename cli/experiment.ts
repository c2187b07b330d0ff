import { models } from '../models/index.js';
import type { CommandHelp } from './config/help.js';
import { ConfigError } from './errors.js';
import { experimentFolder, readPlan } from './experiment/folder.js';
import { cellsOf } from './experiment/matrix.js';
import { completeMatrix, matrixHelp, readAsked, type Asked } from './experiment/request.js';
import { manageExperiment } from './experiment/run.js';
import type { Plan } from './experiment/cell.js';

const help: CommandHelp = {
  name: 'experiment',
  summary:
    'Trains a matrix of models × data sets × supervision × ratios × seeds, each cell a run of train; goes on after ' +
    'any interruption; ends with means, deviations and paired t-tests. Any other option goes to every cell whose ' +
    'model has it. A plan file has the same names; in it per_model: {FM: {…}} and per_dataset: {…} give options ' +
    'to some cells.',
  examples: [
    'node cli/experiment.js plan.yaml --jobs=2',
    'node cli/experiment.js --grid --models=FM,NFM --datasets=sample --ratios=0.3,0.5 --seeds=3 --epochs=20',
    'node cli/experiment.js plan.yaml --emit=slurm',
    'node cli/experiment.js --name=plan --collect',
  ],
};

/** The command `experiment`. Throws ConfigError, DataError and the system's errors. */
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    return void console.log(await matrixHelp(help));
  }
  const asked = readAsked(argv, models);
  await manageExperiment(planOf(asked), asked.manage);
}

/** What is asked for; by name alone, the plan that is there. */
function planOf({ manage, given, title, optionsOf, checkUsed }: Asked): Plan {
  const { name, checkpoint_dir } = manage;
  if (title === null && Object.keys(given).length === 0 && name !== null) {
    const folder = experimentFolder(checkpoint_dir, name);
    const plan = readPlan(folder);
    if (plan !== null) return plan;
    throw new ConfigError(
      `${folder}: no such experiment; give a plan file, or --grid with --models and --datasets`,
    );
  }
  if (title === null && !manage.grid) {
    throw new ConfigError(
      'no plan: give a plan.yaml, --grid with --models and --datasets, or the --name of one',
    );
  }
  const matrix = completeMatrix(given);
  const cells = cellsOf(matrix, optionsOf);
  checkUsed(cells);
  const { models: names, datasets } = matrix;
  return { name: name ?? title ?? `${datasets.join('+')}-${names.join('+')}`, cells, notes: [] };
}
