import { dataOptions } from './data_options.js';
import type { Section } from './help.js';
import { modelTable, type ModelOptions } from './models.js';
import type { OptionTable } from './option.js';
import {
  evaluationOptions,
  generalOptions,
  supervisionOptions,
  trainingOptions,
  trainOptions,
} from './options.js';
import { runOptions } from './run_options.js';

/** What a model declares beyond the common options (embedding_size is one of those). */
function ownOptions(model: ModelOptions): OptionTable {
  const entries = Object.entries(modelTable(model)).filter(([name]) => !Object.hasOwn(trainOptions, name));
  return Object.fromEntries(entries);
}

/** All options in groups, in the order of the help text and of the printed configuration. */
export function sections(model: ModelOptions | null): readonly Section[] {
  const own: readonly Section[] = model === null ? [] : [{ title: model.name, options: ownOptions(model) }];
  return [
    { title: 'Run', options: runOptions },
    { title: 'General', options: generalOptions },
    { title: 'Training', options: trainingOptions },
    { title: 'Supervision', options: supervisionOptions },
    { title: 'Evaluation', options: evaluationOptions },
    { title: 'Data set', options: dataOptions },
    ...own,
  ];
}
