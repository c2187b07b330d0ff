import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfigFile } from '../../cli/config/files.js';
import { ConfigError } from '../../cli/errors.js';
import { dataFolder, load, refused } from './config_support.js';

const reading = suite('readConfigFile');

function valuesOf(text: string): Readonly<Record<string, unknown>> {
  const folder = dataFolder({ 'a.yaml': text });
  return Object.fromEntries(readConfigFile(`${folder}/a.yaml`).map(({ name, value }) => [name, value]));
}

reading('reads YAML as the loader of RecBole does', () => {
  const text = [
    'a: 1e-3 # a float, though YAML 1.1 says text',
    'b: ~',
    'c: True',
    'd: off',
    "e: {'RS':[0.8,0.1,0.1]}",
    'f: 5.',
    'g: "\\t"',
    'h:\n  i: [user_id, item_id]\n  j: ~',
    'k: 1_000',
    "l: '[10,inf)'",
    'm:',
    '1: x',
  ].join('\n');
  assert.equal(valuesOf(text), {
    a: 0.001,
    b: null,
    c: true,
    d: false,
    e: { RS: [0.8, 0.1, 0.1] },
    f: 5,
    g: '\t',
    h: { i: ['user_id', 'item_id'], j: null },
    k: 1000,
    l: '[10,inf)',
    m: null,
    '1': 'x',
  });
});

reading('takes empty files and files of comments', () => {
  assert.equal(valuesOf(''), {});
  assert.equal(valuesOf('# nothing\n'), {});
});

function messageOf(text: string): string {
  try {
    valuesOf(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replace(/^.*\/a\.yaml/, 'a.yaml');
  }
  throw new Error('accepted');
}

reading('names the line of what is wrong', () => {
  assert.match(messageOf('a: 1\nb: [1, 2\n'), /^a\.yaml:\d: not YAML: .*; correct this line$/);
  assert.match(messageOf('a: 1\na: 2\n'), /^a\.yaml:2: not YAML: .*unique/);
  assert.match(messageOf('- a\n'), /^a\.yaml: not a list of options; write one "name: value" a line$/);
  assert.match(messageOf('a: 1\nb: 2020-01-01\n'), /^a\.yaml:2: b: neither a number, .*; quote it/);
  assert.match(messageOf('a: !!python/object:os.system x\n'), /^a\.yaml:1: not YAML: Unresolved tag/);
});

reading('refuses a bomb of aliases', () => {
  const level = (name: string, below: string) =>
    `${name}: &${name} [${Array(9).fill(`*${below}`).join(',')}]`;
  const names = [...'bcdefghi'];
  const lines = names.map((name, i) => level(name, i === 0 ? 'a' : names[i - 1]));
  assert.throws(() => valuesOf(['a: &a [1,1,1,1,1,1,1,1,1]', ...lines].join('\n')));
});

reading.run();

const configFiles = suite('--config_files');

/**
 * What RecBole's overall.yaml says: general settings, and evaluation by ranking, which its CTR models never
 * see.
 */
const overall = `# Environment Settings
gpu_id: '3'
worker: 0
use_gpu: True
seed: 2021
state: INFO
reproducibility: True
data_path: 'dataset/'
checkpoint_dir: 'saved'
show_progress: True
save_dataset: False
dataset_save_path: ~
save_dataloaders: False
dataloaders_save_path: ~
log_wandb: False
wandb_project: 'recbole'
shuffle: True

# Training Settings
epochs: 300
train_batch_size: 2048
learner: adam
learning_rate: 1e-3
train_neg_sample_args:
  distribution: uniform
  sample_num: 1
  alpha: 1.0
  dynamic: False
  candidate_num: 0
eval_step: 1
stopping_step: 10
clip_grad_norm: ~
weight_decay: 0.0
loss_decimal_place: 4
require_pow: False
enable_amp: False
enable_scaler: False
transform: ~

# Evaluation Settings
eval_args:
  split: {'RS':[0.8,0.1,0.1]}
  group_by: user
  order: RO
  mode: full
repeatable: False
metrics: ["Recall","MRR","NDCG","Hit","Precision"]
topk: [10]
valid_metric: MRR@10
valid_metric_bigger: True
eval_batch_size: 4096
metric_decimal_place: 4
`;

/** The fields of RecBole's data set files, those of other kinds of models included. */
const dataset = `field_separator: "\\t"
seq_separator: " "
USER_ID_FIELD: user_id
ITEM_ID_FIELD: item_id
RATING_FIELD: rating
TIME_FIELD: timestamp
seq_len: ~
LABEL_FIELD: label
threshold: {'rating': 4}
NEG_PREFIX: neg_
numerical_features: []
ITEM_LIST_LENGTH_FIELD: item_length
LIST_SUFFIX: _list
MAX_ITEM_LIST_LENGTH: 50
POSITION_FIELD: position_id
HEAD_ENTITY_ID_FIELD: head_id
TAIL_ENTITY_ID_FIELD: tail_id
RELATION_ID_FIELD: relation_id
ENTITY_ID_FIELD: entity_id
kg_reverse_r: False
entity_kg_num_interval: "[0,inf)"
relation_kg_num_interval: "[0,inf)"
load_col:
    inter: [user_id, item_id, rating]
    item: [item_id, release_year, class]
unload_col: ~
unused_col: ~
additional_feat_suffix: ~
rm_dup_inter: ~
val_interval: ~
filter_inter_by_user_or_item: True
user_inter_num_interval: "[10,inf)"
item_inter_num_interval: "[10,inf)"
alias_of_user_id: ~
alias_of_item_id: ~
alias_of_entity_id: ~
alias_of_relation_id: ~
preload_weight: ~
normalize_field: ~
normalize_all: ~
discretization: ~
benchmark_filename: ~
`;

configFiles('takes a copy of overall.yaml, whose ranking defaults point evaluation outranks', async () => {
  const folder = dataFolder({ 'overall.yaml': overall });
  const { config, notes } = await load(folder, `--config_files=${folder}/overall.yaml`);
  assert.equal(
    [config.seed, config.stopping_step, config.topk, config.learning_rate],
    [2021, 10, [10], 0.001],
  );
  assert.equal([config.metrics, config.valid_metric], [['AUC', 'LogLoss'], 'AUC']);
  assert.equal([config.eval_args.mode, config.eval_args.group_by], ['labeled', 'none']);
  assert.is(notes.length, 2);
  assert.match(notes.join('\n'), /overall\.yaml: gpu_id, worker, use_gpu, .* without effect here/);
  assert.match(notes.join('\n'), /overall\.yaml: eval_args, metrics, valid_metric passed over/);
});

configFiles('takes a data set file and the file of context-aware models', async () => {
  const context =
    'eval_args:\n  split: {"RS":[0.8,0.1,0.1]}\n  order: RO\n  group_by: ~\n  mode: labeled\n' +
    "train_neg_sample_args: ~\nmetrics: ['AUC', 'LogLoss']\nvalid_metric: AUC\n";
  const folder = dataFolder({ 'data.yaml': dataset, 'context.yaml': context });
  const { config } = await load(folder, `--config_files=${folder}/data.yaml ${folder}/context.yaml`);
  assert.equal(config.data.threshold, { rating: 4 });
  assert.equal(config.data.load_col?.item, ['item_id', 'release_year', 'class']);
  assert.equal([config.data.user_inter_num_interval, config.eval_args.group_by], ['[10,inf)', 'none']);
});

configFiles('names file and line of what it refuses', async () => {
  const folder = dataFolder({
    'a.yaml': 'seed: 1\nlearning_rate: fast\n',
    'b.yaml': 'log_wandb: True\n',
    'c.yaml': 'n_layers: 3\n',
    'd.yaml': 'traim_batch_size: 3\n',
    'e.yaml': 'train_neg_sample_args: {distribution: popularity, sample_num: 5}\n',
  });
  const refuse = (name: string, message: string) =>
    refused(folder, [`--config_files=${folder}/${name}`], `${folder}/${name}:${message}`);
  await refuse('a.yaml', '2: learning_rate=fast: not a number; give a float such as 0.001');
  await refuse('b.yaml', '1: log_wandb=True: not an option here; metrics are written to metrics.jsonl *');
  await refuse('c.yaml', '1: n_layers=3: an option of AutoInt, FiGNN, not of FM; leave it out');
  await refuse('d.yaml', '1: traim_batch_size=3: no such option; did you mean train_batch_size?');
  await refuse('e.yaml', '1: train_neg_sample_args={*}: not an option here; point-wise evaluation *');
  await refuse('none.yaml', ' no such file; check the path in --config_files');
});

configFiles('takes literals in quotes and paths with spaces', async () => {
  const folder = dataFolder({ 'a b.yaml': `threshold: "{'rating': 4}"\ntrain_neg_sample_args: None\n` });
  const { config } = await load(folder, `--config_files=['${folder}/a b.yaml']`);
  assert.equal(config.data.threshold, { rating: 4 });
});

configFiles.run();

const foreign = suite('options of RecBole that have no meaning here');

foreign('are refused as flags, unless they ask for nothing', async () => {
  const folder = dataFolder();
  await refused(
    folder,
    ['--gpu_id=1'],
    '--gpu_id=1: not an option here; the device is chosen with --adapter',
  );
  await refused(folder, ['--nproc=2'], '--nproc=2: not an option here; a run is one process, *');
  await refused(
    folder,
    ['--save_dataloaders'],
    '--save_dataloaders: not an option here; batches are made on *',
  );
  const { notes } = await load(
    folder,
    '--gpu_id=0',
    '--train_neg_sample_args=None',
    '--reproducibility=False',
  );
  assert.equal(notes, ['command line: gpu_id, train_neg_sample_args, reproducibility without effect here']);
});

foreign.run();
