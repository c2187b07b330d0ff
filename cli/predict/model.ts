import { splitDataset } from '../../data/dataset.js';
import type { Dataset, Split, Table } from '../../data/schema.js';
import { packFeatures, type Features } from '../../models/index.js';
import { checkSameData, checkSameIds, openDataset } from '../open.js';
import { openTrained, type Trained, type TrainedModel } from '../rank_eval/trained.js';
import { contextFloatRules } from './context_floats.js';
import { encodeRows, type Encoding } from './encode.js';
import { sideTable } from './side_tables.js';

/** A model that scores new rows. */
export interface Predictor extends TrainedModel {
  readonly encoding: Encoding;
  /** One row without context, and the features of users and items. */
  readonly features: Features;
}

/**
 * Whether the features of users and items depend on more than their files: val_interval may have taken rows of users
 * from .user whose interactions were kept.
 */
const needsInteractions = ({ config: { data } }: Trained): boolean =>
  data.val_interval !== null && !data.filter_inter_by_user_or_item;

/**
 * Puts a trained model on a device. Ids come from the checkpoint, features of users and items from the data set's
 * .user and .item; .inter is read only where training took means or ranges of its floats. Throws ConfigError,
 * CheckpointError, DataError, DeviceError.
 */
export async function openPredictor(
  trained: Trained,
  idsOf: Encoding['idsOf'],
  note: (line: string) => void,
): Promise<Predictor> {
  const { checkpoint, config } = trained;
  const { schema, vocabularies } = checkpoint;
  const floatRules = await contextFloatRules(schema, config.data);
  const encoding = { schema, idsOf, floatRules };
  const { users, items } = needsInteractions(trained)
    ? await wholeDataset(trained, note)
    : await sideTables(trained, idsOf);
  // Supervision is checked against the data in training; here one row stands for all of it.
  const targets = { rating: Float32Array.of(1), label: Float32Array.of(1) };
  const { table: inter } = encodeRows(encoding, { rows: 1, columns: new Map() });
  const dataset = { name: config.dataset, schema, vocabularies, inter, users, items, ...targets };
  const features = packFeatures(dataset);
  return { ...(await openTrained(trained, dataset, features)), encoding, features };
}

async function sideTables(
  { checkpoint: { schema }, config }: Trained,
  idsOf: Encoding['idsOf'],
): Promise<{ readonly users: Table | null; readonly items: Table | null }> {
  const from = { options: config.data, schema, idsOf };
  return { users: await sideTable(from, 'user'), items: await sideTable(from, 'item') };
}

/** The data set as it was in training, checked. Throws ConfigError, DataError, CheckpointError. */
export async function wholeDataset(
  { checkpoint, config }: Trained,
  note: (line: string) => void,
): Promise<Dataset> {
  const dataset = await openDataset(config, note);
  checkSameIds(checkpoint, dataset);
  checkSameData(checkpoint, packFeatures(dataset));
  return dataset;
}

/** Items of each user's training rows: `of(user)` may repeat them. */
export interface SeenItems {
  of(user: number): Uint32Array;
}

/** What users have in the training part of the data set. */
export async function seenInTraining(trained: Trained, note: (line: string) => void): Promise<SeenItems> {
  const dataset = await wholeDataset(trained, note);
  return seenItems(dataset, splitDataset(dataset, trained.config.data));
}

function seenItems({ inter, schema, vocabularies }: Dataset, { train }: Split): SeenItems {
  const idsOf = (field: string) => {
    const column = inter.columns.get(field);
    return column?.type === 'token' ? column.ids : new Uint32Array(inter.rows);
  };
  const [users, items] = [idsOf(schema.userField), idsOf(schema.itemField)];
  const starts = new Uint32Array((vocabularies.get(schema.userField)?.length ?? 1) + 1);
  for (const row of train) starts[users[row] + 1]++;
  for (let user = 1; user < starts.length; user++) starts[user] += starts[user - 1];
  const next = starts.slice();
  const seen = new Uint32Array(train.length);
  for (const row of train) seen[next[users[row]]++] = items[row];
  return { of: (user) => seen.subarray(starts[user], starts[user + 1]) };
}
