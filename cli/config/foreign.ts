import { formatLiteral, type ConfigValue } from './literal.js';

/** An option of RecBole that has no meaning here. */
export interface ForeignOption {
  /** Why, and what to use instead: completes "…: not an option here; ". */
  readonly reason: string;
  /** Values that ask for nothing we do not do anyway; 'any' if the option cannot change a result. */
  readonly harmless: readonly ConfigValue[] | 'any';
}

const adapterReason = 'the device is chosen with --adapter';
const processReason = 'a run is one process, and data is prepared in threads of its own';
const negativeReason =
  'point-wise evaluation learns from labels, so no negatives are drawn; rank with cli/rank-eval.js';
const sequenceReason = 'it belongs to sequential models, which are not here';
const graphReason = 'it belongs to knowledge-based models, which are not here';
const pairReason = 'it belongs to pair-wise and social models, which are not here';
const precisionReason = 'all arithmetic is in f32';
const wandbReason = 'metrics are written to metrics.jsonl in the folder of the run';
const oldReason = 'RecBole 1.0 replaced it';

/** RecBole's own defaults for drawing negatives: what a copy of its overall.yaml says without meaning it. */
const drawnNegatives: ConfigValue = {
  distribution: 'uniform',
  sample_num: 1,
  alpha: 1,
  dynamic: false,
  candidate_num: 0,
};

function refuse(reason: string, ...harmless: readonly ConfigValue[]): ForeignOption {
  return { reason, harmless };
}

function ignore(reason: string): ForeignOption {
  return { reason, harmless: 'any' };
}

/** Options of RecBole 1.2 (and older ones) that are not ours, with the reason. */
export const foreignOptions: Readonly<Record<string, ForeignOption>> = {
  gpu_id: refuse(adapterReason, null, '', '0', 0),
  use_gpu: refuse(adapterReason, true),
  worker: refuse(processReason, 0),
  nproc: refuse(processReason, 1),
  world_size: refuse(processReason, 1, -1),
  ip: refuse(processReason, 'localhost'),
  port: refuse(processReason, '5678', 5678),
  offset: refuse(processReason, 0),
  group_offset: refuse(processReason, 0),
  local_rank: refuse(processReason, 0),
  reproducibility: ignore('runs are always reproducible'),
  encoding: refuse('files are read as UTF-8', 'utf-8', 'utf8', 'UTF-8'),
  save_dataloaders: refuse('batches are made on the device; keep the data set with --save_dataset', false),
  dataloaders_save_path: refuse(
    'batches are made on the device; keep the data set with --dataset_save_path',
    null,
  ),
  log_wandb: refuse(wandbReason, false),
  wandb_project: ignore(wandbReason),
  train_neg_sample_args: refuse(negativeReason, null, 'None', drawnNegatives, { distribution: 'none' }),
  neg_sampling: refuse(negativeReason, null, 'None', { uniform: 1 }),
  valid_neg_sample_args: refuse(negativeReason, null, 'None'),
  test_neg_sample_args: refuse(negativeReason, null, 'None'),
  repeatable: refuse('it belongs to ranking', false),
  require_pow: refuse('it belongs to the embedding loss of general models, which are not here', false),
  enable_amp: refuse(precisionReason, false),
  enable_scaler: refuse(precisionReason, false),
  transform: refuse(sequenceReason, null),
  valid_metric_bigger: ignore('it follows from valid_metric'),
  tail_ratio: refuse('it belongs to the metric TailPercentage, which is not here', 0, null),
  config_file: refuse('write --config_files="a.yaml b.yaml"'),
  config_file_list: refuse('write --config_files="a.yaml b.yaml"'),
  additional_feat_suffix: refuse('only .inter, .user and .item files are read', null, []),
  preload_weight: refuse('embeddings start from the seed', null),
  augmentation: refuse(sequenceReason, false),
  ITEM_LIST_LENGTH_FIELD: ignore(sequenceReason),
  LIST_SUFFIX: ignore(sequenceReason),
  MAX_ITEM_LIST_LENGTH: ignore(sequenceReason),
  POSITION_FIELD: ignore(sequenceReason),
  HEAD_ENTITY_ID_FIELD: ignore(graphReason),
  TAIL_ENTITY_ID_FIELD: ignore(graphReason),
  RELATION_ID_FIELD: ignore(graphReason),
  ENTITY_ID_FIELD: ignore(graphReason),
  kg_reverse_r: refuse(graphReason, false),
  entity_kg_num_interval: refuse(graphReason, '[0,inf)', null),
  relation_kg_num_interval: refuse(graphReason, '[0,inf)', null),
  NEG_PREFIX: ignore(pairReason),
  SOURCE_ID_FIELD: ignore(pairReason),
  TARGET_ID_FIELD: ignore(pairReason),
  training_neg_sample_num: refuse(negativeReason, 0, null),
  training_neg_sample_distribution: refuse(negativeReason, null),
  eval_setting: refuse(`${oldReason}; write eval_args`),
  group_by_user: refuse(`${oldReason}; write eval_args`),
  split_ratio: refuse(`${oldReason}; write eval_args`),
  leave_one_num: refuse(`${oldReason}; write eval_args`),
  real_time_process: refuse(oldReason, false),
  draw_loss_pic: refuse(`${oldReason}; losses are in metrics.jsonl`, false),
  lowest_val: refuse(`${oldReason}; write val_interval`, null),
  highest_val: refuse(`${oldReason}; write val_interval`, null),
  equal_val: refuse(`${oldReason}; write val_interval`, null),
  not_equal_val: refuse(`${oldReason}; write val_interval`, null),
  min_user_inter_num: refuse(`${oldReason}; write user_inter_num_interval`, null, 0),
  max_user_inter_num: refuse(`${oldReason}; write user_inter_num_interval`, null),
  min_item_inter_num: refuse(`${oldReason}; write item_inter_num_interval`, null, 0),
  max_item_inter_num: refuse(`${oldReason}; write item_inter_num_interval`, null),
  fields_in_same_space: refuse(`${oldReason}; write alias_of_user_id or alias_of_item_id`, null),
};

/**
 * Devices differ between machines: a file that names one was written for another, which is no reason to stop.
 */
const harmlessInFiles: ReadonlySet<string> = new Set(['gpu_id', 'use_gpu', 'worker', 'nproc']);

/**
 * What RecBole's overall.yaml says for its ranking models, in a file. Its own context-aware models never see
 * these values, as their evaluation file comes later; so a copy of that file does not mean them either.
 */
const generalDefaults: Readonly<Record<string, ConfigValue>> = {
  eval_args: { split: { RS: [0.8, 0.1, 0.1] }, group_by: 'user', order: 'RO', mode: 'full' },
  metrics: ['Recall', 'MRR', 'NDCG', 'Hit', 'Precision'],
  valid_metric: 'MRR@10',
};

/** Keys in any order make the same dictionary. */
function canonical(value: ConfigValue): string {
  return formatLiteral(sorted(value));
}

function sorted(value: ConfigValue): ConfigValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, sorted(item)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether `value` of a foreign option may be passed over; `inFile` is false for flags. */
export function isHarmless(name: string, value: ConfigValue, inFile: boolean): boolean {
  const { harmless } = foreignOptions[name];
  if (harmless === 'any' || (inFile && harmlessInFiles.has(name))) return true;
  return harmless.some((one) => canonical(one) === canonical(value));
}

/** Whether `value` is what RecBole's overall.yaml says for models of another kind. */
export function isGeneralDefault(name: string, value: ConfigValue): boolean {
  const general = generalDefaults[name];
  return general !== undefined && canonical(general) === canonical(value);
}
