import { join, resolve } from 'node:path';
import { likes } from '../../data/synthetic/presets.js';
import { knownDatasets } from './files.js';
import { nearest } from './nearest.js';
import type { TrainConfig } from './train_config.js';

/** What to say when the folder of a data set is not there: where it was looked for, and how to come by it. */
export function missingDatasetMessage(config: Pick<TrainConfig, 'dataset' | 'data_path'>): string {
  const { dataset, data_path } = config;
  const folder = resolve(data_path, dataset);
  const known = knownDatasets(data_path);
  const meant = known.includes(dataset) ? null : nearest(dataset, known);
  const shape = likes.some((like) => like === dataset) ? `--like=${dataset}` : `--name=${dataset}`;
  return (
    `--dataset=${dataset}: ${join(folder, `${dataset}.inter`)} is not there` +
    `${meant === null ? '' : ` (did you mean ${meant}?)`}; ${ways(dataset, folder)}, name another folder with` +
    ` --data_path, or make a synthetic one with: node cli/data.js synth ${shape}`
  );
}

/** How to come by a set: published ones can be fetched and converted. */
function ways(dataset: string, folder: string): string {
  const put = `put RecBole's atomic files of ${dataset} into ${folder} (https://recbole.io/dataset_list.html)`;
  if (!likes.some((like) => like === dataset)) return put;
  return (
    `${put} with node cli/data.js download --dataset=${dataset}, or from what you have with node cli/data.js prepare` +
    ` --dataset=${dataset} --from=PATH`
  );
}
