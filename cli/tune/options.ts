import { bool, choice, int, optional, text, type OptionTable, type OptionValues } from '../config/option.js';
import type { CommandHelp } from '../config/help.js';
import type { PruneRule } from './prune.js';
import type { Algorithm } from './search.js';

export const tuneHelp: CommandHelp = {
  name: 'tune',
  summary:
    'Searches the best options of a training: each trial is a run of train, to which all other options go. ' +
    'The same command goes on with a search that was interrupted.',
  examples: [
    'node cli/tune.js --params_file=hyper.test --model=FM --dataset=sample --algo=bayes --max_evals=30',
    'node cli/tune.js --params_file=hyper.test --model=NFM --dataset=ml-1m --multi_cls=5 --epochs=20',
  ],
};

/** Options of the search itself, RecBole's names first. */
export const tuneOptions = {
  params_file: text('', 'what to search, a line each: learning_rate loguniform -8,0'),
  algo: choice<Algorithm>('exhaustive', ['exhaustive', 'random', 'bayes'], 'how to search'),
  tool: choice('Hyperopt', ['Hyperopt', 'Ray'], 'as in RecBole; Ray: --algo=random --pruner=halving'),
  max_evals: optional(int(100, 'trials at most; None: 100, or all of an exhaustive search', { min: 1 })),
  early_stop: int(10, 'trials in a row without a better one that end the search; 0: never', { min: 0 }),
  output_file: optional(text('', 'file of all results, in the form of RecBole')),
  pruner: choice<PruneRule['pruner']>(
    'median',
    ['median', 'halving', 'none'],
    'which trials are ended early, by the valid metric',
  ),
  prune_startup: int(5, 'trials before any is ended early', { min: 1 }),
  prune_warmup: int(1, 'epochs that every trial gets', { min: 1 }),
  startup_trials: int(10, 'trials at random before bayes learns from them', { min: 1 }),
  seed: int(2020, 'seed of the search, and of every trial', { min: 0, max: 2 ** 32 - 1 }),
  name: optional(text('', 'name of the study; None: <model>-<dataset>')),
  study_dir: text('saved/studies', 'folder of the studies'),
  keep: choice('best', ['best', 'all'], 'whose checkpoints are kept'),
  top: int(10, 'trials of the last table', { min: 1 }),
  quiet: bool(false, 'print only the result'),
  show_progress: bool(true, 'progress bar on a terminal'),
} as const satisfies OptionTable;

/** What the options above become. */
export type TuneOptions = OptionValues<typeof tuneOptions>;

/** Options of `train` that a study sets itself, and of RecBole's tuner that make no sense here, with the reason. */
export const refused: Readonly<Record<string, string>> = {
  checkpoint_dir: 'trials have folders in that of the study; give --study_dir',
  saved: 'trials are saved, so that the best can be used; leave it out',
  resume: 'a study goes on when its command is given again; leave it out',
  display_file: 'trials.jsonl in the study has all that a plot needs; leave it out',
};

/** Options that all trials share, or their scores could not be compared. */
export const unsearchable: ReadonlySet<string> = new Set([
  ...['model', 'dataset', 'config_files', 'data_path', 'eval_args', 'metrics', 'valid_metric'],
  ...['metric_decimal_place', 'eval_step', 'threshold', 'quiet', 'show_progress', 'name'],
  ...Object.keys(refused),
]);
