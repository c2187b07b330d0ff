import { buildDataset } from './build.js';
import { cachedDataset } from './cache.js';
import type { Note } from './filter.js';
import type { DataOptions } from './options.js';
import type { Dataset } from './schema.js';

export { BatchOrder, type BatchOrderState } from './batch_order.js';
export { splitDataset } from './split.js';

/**
 * The data set that the options describe, from its cache if there is one to go by (save_dataset, dataset_save_path).
 * Throws DataError; lines about what was done go to `note`.
 */
export async function loadDataset(options: DataOptions, note: Note = () => {}): Promise<Dataset> {
  const build = () => buildDataset(options, note);
  const isCached = options.save_dataset || options.dataset_save_path !== null;
  return isCached ? cachedDataset(options, build, note) : build();
}
