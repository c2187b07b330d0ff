import { models } from '../../models/index.js';
import type { CommandHelp } from '../config/help.js';
import { generalOptions } from '../config/options.js';
import type { Plan } from '../experiment/cell.js';
import { cellsOf } from '../experiment/matrix.js';
import { completeMatrix, matrixHelp, readAsked, type Asked } from '../experiment/request.js';
import { manageExperiment } from '../experiment/run.js';
import { paperSettings, type PaperSetting } from './settings.js';

const help: CommandHelp = {
  name: 'paper',
  subcommand: 'table',
  summary:
    "node cli/paper.js table: the paper's table. Trains its models with and without rating classes over its seeds and " +
    'ratios, with its hyper-parameters, and tests the difference. Goes on after any interruption. Options cut it down; ' +
    'any option of train goes to every cell whose model has it, over the hyper-parameters of the paper.',
  examples: [
    'node cli/paper.js table --dataset=ml-1m',
    'node cli/paper.js table --dataset=ml-1m --models=WideDeep,DCNV2 --seeds=2 --ratios=0.3,0.5 --jobs=2',
    'node cli/paper.js table --dataset=ml-100k --models=FM "--mlp_hidden_size=[64, 64, 64]"',
    'node cli/paper.js table --dataset=ml-1m --emit=slurm',
  ],
};

/** Whose hyper-parameters stand for those of a data set that the paper does not use. */
const standIn = 'ml-1m';

const paperDatasets = [...new Set(paperSettings.map(({ dataset }) => dataset))];

/** `paper table`: the experiment of the paper, or a part of it. Throws what `experiment` throws. */
export async function table(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    return void console.log(await matrixHelp(help));
  }
  const asked = readAsked(argv, models);
  await manageExperiment(planOf(asked), asked.manage);
}

function planOf({ manage, given, title, optionsOf, checkUsed }: Asked): Plan {
  const datasets = given.datasets ?? paperDatasets;
  const parts = datasets.map((dataset) => {
    // On one data set the paper leaves models out that it runs on another.
    const names = given.models ?? modelsOn(dataset);
    const matrix = completeMatrix({ ...given, datasets: [dataset], models: names });
    return cellsOf(matrix, (model, of) => ({ ...settingOf(model, of)?.options, ...optionsOf(model, of) }));
  });
  const cells = parts.flat();
  checkUsed(cells);
  const named = [datasets.join('+'), ...(given.models === undefined ? [] : [given.models.join('+')])];
  const pairs = [...new Map(cells.map((cell) => [`${cell.model}\0${cell.dataset}`, cell])).values()];
  return {
    name: manage.name ?? title ?? ['paper', ...named].join('-'),
    cells,
    notes: pairs.map(({ model, dataset, options }) => sourceNote(model, dataset, options)),
  };
}

const datasetOf = (dataset: string) => (paperDatasets.includes(dataset) ? dataset : standIn);

const modelsOn = (dataset: string) =>
  paperSettings.filter((setting) => setting.dataset === datasetOf(dataset)).map(({ model }) => model);

/** The paper's setting of a model on a data set, or on the one that stands for it. */
function settingOf(model: string, dataset: string): PaperSetting | undefined {
  return paperSettings.find((one) => one.model === model && one.dataset === datasetOf(dataset));
}

/** Where the hyper-parameters of a setting come from, and what they are. */
function sourceNote(model: string, dataset: string, options: Readonly<Record<string, string>>): string {
  const setting = settingOf(model, dataset);
  const source =
    setting === undefined ? 'defaults, as the paper does not train it' : `the paper's for ${setting.dataset}`;
  const changed = setting !== undefined && isChanged(setting, options) ? ', changed by options' : '';
  const shown = Object.entries(options).filter(([name]) => !Object.hasOwn(generalOptions, name));
  const list = shown.map(([name, value]) => `${name}=${value}`).join(', ');
  return `${model} on ${dataset}: hyper-parameters are ${source}${changed}${list === '' ? '' : `: ${list}`}`;
}

const isChanged = (setting: PaperSetting, options: Readonly<Record<string, string>>) =>
  Object.entries(setting.options).some(([name, value]) => options[name] !== value);
