import { datasetName } from '../../data/convert/names.js';
import { ConfigError } from '../errors.js';
import type { ConfigValue } from './literal.js';
import { special, text, type OptionTable } from './option.js';

/** RecBole separates files by spaces; a Python list takes paths that contain some. */
function readPaths(value: ConfigValue, where: string): readonly string[] {
  const paths: readonly ConfigValue[] = Array.isArray(value) ? value : String(value).split(/\s+/);
  return paths
    .filter((path) => path !== '')
    .map((path) => {
      if (typeof path === 'string') return path;
      throw new ConfigError(`${where}: not a list of paths; give "a.yaml b.yaml"`);
    });
}

const datasetText = text('', 'the data set: a folder of data_path');

/** What is run: these choose the layers from which all other options come. */
export const runOptions = {
  model: text('', 'the model, found in any case'),
  dataset: { ...datasetText, read: (value, where) => datasetName(datasetText.read(value, where)) },
  config_files: special<readonly string[]>(
    [],
    'str',
    'YAML files, later ones win: "a.yaml b.yaml"',
    readPaths,
  ),
} as const satisfies OptionTable;
