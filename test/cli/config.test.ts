import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTrainConfig } from '../../cli/config.js';
import { missingDatasetMessage } from '../../cli/config/missing.js';
import { parseLiteral } from '../../cli/config/literal.js';
import { trainOptions } from '../../cli/config/options.js';
import { dataOptionTable } from '../../data/options.js';
import { skipUnless } from '../support/skip.js';
import { models } from './config_models.js';
import { dataFolder, load, refused } from './config_support.js';

const loading = suite('loadTrainConfig');

loading('gives the paper its defaults', async () => {
  const { config, notes } = await load(dataFolder());
  const { seed, epochs, train_batch_size, learner, learning_rate, weight_decay, eval_step } = config;
  assert.equal(
    [seed, epochs, train_batch_size, learner, learning_rate, weight_decay, eval_step],
    [2020, 300, 2048, 'adam', 0.001, 0, 1],
  );
  assert.equal([config.stopping_step, config.clip_grad_norm, config.shuffle], [5, null, true]);
  assert.equal(
    [config.eval_batch_size, config.metrics, config.valid_metric],
    [4096, ['AUC', 'LogLoss'], 'AUC'],
  );
  assert.equal([config.topk, config.metric_decimal_place, config.loss_decimal_place], [[10, 20], 4, 4]);
  assert.equal([config.checkpoint_dir, config.show_progress, config.save_dataset], ['saved', true, false]);
  const split = { split: { RS: [0.8, 0.1, 0.1] }, order: 'RO', group_by: 'none', mode: 'labeled' };
  assert.equal(config.eval_args, split);
  assert.equal([config.multi_cls, config.multi_ratio, config.label_agg], [null, null, 'logit_sum']);
  assert.is(config.valid_metric_bigger, true);
  assert.equal(notes, []);
});

loading('lets later layers win', async () => {
  const folder = dataFolder({
    'toy/toy.yaml': 'learning_rate: 1\nepochs: 1\nseed: 1\ndropout_prob: 0.1\n',
    'a.yaml': 'epochs: 2\nseed: 2\nweight_decay: 2\n',
    'b.yaml': 'seed: 3\nweight_decay: 3\n',
  });
  const files = `--config_files=${folder}/a.yaml ${folder}/b.yaml`;
  const { config } = await load(folder, '--model=NFM', files, '--weight_decay=4');
  assert.equal([config.learning_rate, config.epochs, config.seed, config.weight_decay], [1, 2, 3, 4]);
  assert.equal(config.model_options, {
    embedding_size: 16,
    mlp_hidden_size: [64, 64, 64],
    dropout_prob: 0.1,
  });
  assert.equal(config.config_files, [`${folder}/a.yaml`, `${folder}/b.yaml`]);
});

loading('puts point evaluation above data set and model, and says so', async () => {
  const folder = dataFolder({ 'toy/toy.yaml': 'embedding_size: 7\nmetrics: [MAE]\n' });
  const { config, notes } = await load(folder);
  assert.is(config.embedding_size, 16);
  assert.is(config.model_options.embedding_size, 16);
  assert.is(notes.length, 1);
  assert.match(notes[0], /toy\.yaml: embedding_size, metrics passed over/);
  const flagged = await load(folder, '--embedding_size=9');
  assert.equal([flagged.config.embedding_size, flagged.config.model_options.embedding_size], [9, 9]);
});

loading('takes model and data set from a file', async () => {
  const folder = dataFolder({ 'a.yaml': 'model: nfm\ndataset: toy\n' });
  const argv = [`--data_path=${folder}`, `--config_files=${folder}/a.yaml`];
  const request = await loadTrainConfig(argv, models);
  assert.is(request.kind === 'run' && request.config.model, 'NFM');
});

loading('fills the options of the data pipeline, shared ones included', async () => {
  const flags = [
    '--seed=7',
    '--save_dataset=True',
    '--dataset_save_path=x.dataset',
    '--threshold={"rating": 3}',
  ];
  const { config } = await load(dataFolder(), ...flags, '--field_separator=\\t', '--normalize_all=False');
  const { data } = config;
  assert.equal(
    [data.seed, data.dataset, data.save_dataset, data.dataset_save_path],
    [7, 'toy', true, 'x.dataset'],
  );
  assert.equal([data.threshold, data.field_separator, data.normalize_all], [{ rating: 3 }, '\t', false]);
  assert.equal([data.eval_args, data.data_path], [config.eval_args, config.data_path]);
});

loading('gives frozen values', async () => {
  const { config } = await load(dataFolder());
  assert.ok(
    Object.isFrozen(config) && Object.isFrozen(config.data) && Object.isFrozen(config.eval_args.split),
  );
});

loading('lets a data set be made before its property file is read', async () => {
  const folder = dataFolder();
  const prepare = async (dataset: string, dataPath: string) => {
    mkdirSync(join(dataPath, dataset));
    writeFileSync(join(dataPath, dataset, `${dataset}.yaml`), 'train_batch_size: 77\n');
  };
  const argv = ['--model=FM', '--dataset=fresh', `--data_path=${folder}`];
  const request = await loadTrainConfig(argv, models, prepare);
  assert.is(request.kind === 'run' && request.config.train_batch_size, 77);
});

loading('hands a resumed run to the caller', async () => {
  const request = await loadTrainConfig(['--resume=saved/x/last.ckpt', '--epochs=3'], models);
  assert.is(request.kind === 'resume' && request.checkpoint, 'saved/x/last.ckpt');
});

loading('asks for a model and a data set', async () => {
  const folder = dataFolder();
  await assertRejects([], /^--model: missing; give one of LR, FM, NFM/);
  await assertRejects(['--model=FM', `--data_path=${folder}`], /^--dataset: missing; give one of /);
});

loading('names the nearest model and data set', async () => {
  const folder = dataFolder({ 'toy/toy.inter': 'user_id:token\n' });
  await refused(folder, ['--model=NMF'], '--model=NMF: no such model; did you mean NFM? (have LR, FM, *)');
  await refused(folder, ['--model=zzzzz'], '--model=zzzzz: no such model; have LR, FM, *');
  await refused(
    folder,
    ['--dataset=toi'],
    `--dataset=toi: ${folder}/toi/toi.inter is not there (did you mean toy?); *`,
  );
});

async function assertRejects(argv: readonly string[], message: RegExp): Promise<void> {
  const error: unknown = await loadTrainConfig(argv, models).then(
    () => new Error('accepted'),
    (reason: unknown) => reason,
  );
  assert.match(error instanceof Error ? error.message : '', message);
}

const commandsFile = '../shared/reference/commands.json';

skipUnless([commandsFile], loading, 'takes every command line of the paper', async () => {
  const commands = JSON.parse(readFileSync(commandsFile, 'utf8')) as Record<string, string>[];
  const folder = dataFolder({ 'paper.yaml': 'threshold: {rating: 4}\n' });
  for (const command of commands) {
    const flags = Object.entries(command).map(([name, value]) => `--${name}=${value}`);
    const { config } = await load(folder, `--config_files=${folder}/paper.yaml`, ...flags);
    const values: Readonly<Record<string, unknown>> = { ...config.model_options, ...config };
    for (const [name, typed] of Object.entries(command)) {
      const isText = ['model', 'dataset', 'structure', 'dataset_save_path'].includes(name);
      assert.equal(values[name], isText ? typed : parseLiteral(typed), `${name}=${typed}`);
    }
  }
  assert.is(commands.length, 249);
});

loading.run();

const help = suite('help');

async function helpOf(...flags: readonly string[]): Promise<string> {
  const request = await loadTrainConfig(['--help', ...flags], models);
  if (request.kind !== 'help') throw new Error('want help');
  return request.text;
}

help('lists every common option with meaning, kind and default', async () => {
  const text = await helpOf();
  assert.match(text, /General:\n +--seed +seed of [^[]*\(int\)\s*\[default: 2020\]/);
  assert.match(text, /--metrics [^[]*\(list\) +\[default: \['AUC', 'LogLoss'\]\]/);
  assert.match(text, /--model .*\[default: required\]/);
  const names = [...Object.keys(trainOptions), ...Object.keys(dataOptionTable)];
  for (const name of names) assert.is(text.split(`  --${name} `).length, 2, name);
  assert.not.match(text, /mlp_hidden_size +\w/);
});

help("adds the model's options when one is named", async () => {
  const text = await helpOf('--model=nfm');
  assert.match(text, /NFM:\n +--mlp_hidden_size .*\(list\) +\[default: \[64, 64, 64\]\]/);
  assert.match(text, /--embedding_size .*\[default: 16\]/);
  assert.is(text.split('--embedding_size').length, 2, 'embedding_size is listed once');
});

help.run();

const missing = suite('missingDatasetMessage');

missing('says where it looked and how to get or make the data set', () => {
  const folder = dataFolder();
  const message = missingDatasetMessage({ dataset: 'things', data_path: folder });
  assert.ok(message.startsWith(`--dataset=things: ${join(folder, 'things', 'things.inter')} is not there; `));
  assert.match(message, /recbole\.io.*--data_path.*node cli\/data\.js synth --name=things$/);
  assert.not.match(message, /\n/);
});

missing.run();
