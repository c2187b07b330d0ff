import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadTrainConfig } from '../../cli/config.js';
import { describeConfig } from '../../cli/config/describe.js';
import { parseFlags } from '../../cli/config/flags.js';
import { findModel } from '../../cli/config/models.js';
import { configFromRecord, configToRecord, resumeConfig } from '../../cli/config/saved.js';
import { ConfigError } from '../../cli/errors.js';
import { models } from './config_models.js';
import { dataFolder, load } from './config_support.js';

const folder = dataFolder();
const flags = [
  '--model=NFM',
  '--multi_cls=5',
  "--threshold={'rating': 4}",
  '--dropout_prob=0.5',
  '--epochs=3',
];

function messageOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

const records = suite('configToRecord');

records('makes plain data that reads back as the same configuration', async () => {
  const { config } = await load(folder, ...flags);
  const stored: unknown = structuredClone(configToRecord(config));
  assert.equal(configFromRecord(stored, models, 'best.ckpt'), config);
  assert.equal(JSON.parse(JSON.stringify(stored)), stored);
});

records('is checked like typed values when read back', async () => {
  const record = configToRecord((await load(folder, ...flags)).config);
  const read = (stored: unknown) => messageOf(() => configFromRecord(stored, models, 'best.ckpt'));
  const withOptions = (options: object) => ({ ...record, options: { ...record.options, ...options } });
  assert.is(read(null), 'best.ckpt: holds no configuration; the checkpoint is damaged');
  assert.is(read({ ...record, data: 3 }), 'best.ckpt: data is no dictionary; the checkpoint is damaged');
  assert.match(read(withOptions({ epochs: -1 })), /^best\.ckpt: epochs=-1: out of range/);
  assert.match(read(withOptions({ future: 1 })), /^best\.ckpt: future=1: no such option/);
  assert.match(read({ ...record, model: 'GBDT' }), /^--model=GBDT: no such model/);
});

records.run();

const resuming = suite('resumeConfig');

resuming('takes what changes no result and keeps the rest', async () => {
  const { config } = await load(folder, ...flags);
  const resumed = resumeConfig(
    config,
    parseFlags(['--resume=a.ckpt', '--epochs=9', '--adapter=software', '--model=nfm', '--dropout_prob=0.5']),
    models,
  ).config;
  assert.equal([resumed.epochs, resumed.adapter, resumed.resume], [9, 'software', 'a.ckpt']);
  assert.equal({ ...resumed, epochs: 3, adapter: 'auto', resume: null }, config);
});

resuming('refuses what would make it another run', async () => {
  const { config } = await load(folder, ...flags);
  const resume = (flag: string) => messageOf(() => resumeConfig(config, parseFlags([flag]), models));
  const remedy = 'leave it out, or start anew without --resume';
  assert.is(resume('--learning_rate=1'), `--learning_rate=1: the run began with 0.001; ${remedy}`);
  assert.is(resume('--seed=1'), `--seed=1: the run began with 2020; ${remedy}`);
  assert.is(resume('--model=FM'), '--model=FM: the run to go on with is NFM on toy; leave it out');
  assert.match(resume('--config_files=a.yaml'), /^--config_files=a\.yaml: the run to go on with/);
});

resuming('keeps the epochs of a cosine schedule', async () => {
  const { config } = await load(folder, '--lr_scheduler=cosine', '--epochs=3');
  const message = messageOf(() => resumeConfig(config, parseFlags(['--epochs=4']), models));
  assert.match(message, /^--epochs=4: the run began with 3/);
});

resuming.run();

const describing = suite('describeConfig');

describing('prints every option once, in groups', async () => {
  const { config } = await load(folder, ...flags);
  const text = describeConfig(config, findModel('nfm', models));
  assert.match(text, /^Run Hyper Parameters:\nmodel = NFM\ndataset = toy\n/);
  assert.match(text, /\n\nNFM Hyper Parameters:\nmlp_hidden_size = \[64, 64, 64\]\ndropout_prob = 0\.5$/);
  assert.match(text, /\nthreshold = {'rating': 4}\n/);
  assert.match(text, /\nfield_separator = '\\t'\n/);
  const names = text.match(/^\w+(?= = )/gm) ?? [];
  assert.is(new Set(names).size, names.length);
});

describing('prints what can be typed again', async () => {
  const { config } = await load(folder, ...flags);
  const lines = describeConfig(config, findModel('nfm', models)).match(/^\w+ = .*$/gm) ?? [];
  const typed = lines
    .filter((line) => !/ = (None|\[\])$/.test(line))
    .map((line) => `--${line.replace(' = ', '=')}`);
  const again = await loadTrainConfig(typed, models);
  assert.equal(again.kind === 'run' && again.config, config);
});

describing.run();
