import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Checkpoint } from '../../cli/checkpoint.js';
import { loadTrainConfig } from '../../cli/config.js';
import type { TrainConfig } from '../../cli/config/train_config.js';
import {
  checkSameData,
  checkSameIds,
  dataIdentity,
  learningRates,
  openDataset,
  optimizerFor,
  programOf,
} from '../../cli/open.js';
import type { Dataset } from '../../data/schema.js';
import { models, packFeatures } from '../../models/index.js';

const folder = mkdtempSync(join(tmpdir(), 'open-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function writeInter(name: string, lines: readonly string[]): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, `${name}.inter`), `${lines.join('\n').replaceAll(' ', '\t')}\n`);
}

writeInter('toy', [
  'user_id:token item_id:token rating:float',
  'ann tea 5',
  'ann rye 2.5',
  'bob tea 1',
  'cem oat 4',
]);

async function configured(...flags: readonly string[]): Promise<TrainConfig> {
  const usual = ['--model=FM', '--dataset=toy'].filter((flag) => {
    const name = flag.slice(0, flag.indexOf('=') + 1);
    return !flags.some((given) => given.startsWith(name));
  });
  const argv = [...usual, `--data_path=${folder}`, ...flags];
  const request = await loadTrainConfig(argv, models);
  if (request.kind !== 'run') throw new Error('no run');
  return request.config;
}

const threshold = "--threshold={'rating': 4}";

async function opened(...flags: readonly string[]): Promise<{ config: TrainConfig; dataset: Dataset }> {
  const config = await configured(...flags);
  return { config, dataset: await openDataset(config, () => {}) };
}

async function rejected(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  throw new Error('it did not fail');
}

const program = async (...flags: readonly string[]) => {
  const { config, dataset } = await opened(...flags);
  return programOf(config, dataset);
};

const programs = suite('programOf');

programs('is binary without classes', async () => {
  const { supervision, model, embeddingSize } = await program(threshold, '--embedding_size=3');
  assert.is(supervision.classes, 1);
  assert.equal([model.name, embeddingSize], ['FM', 3]);
});

programs('takes classes, ratio and the first positive class', async () => {
  const { supervision } = await program(threshold, '--multi_cls=5', '--multi_ratio=0.25');
  const how = { labelAggregation: 'logit_sum', labelSmoothing: 0 };
  assert.equal(supervision, { classes: 5, ratio: 0.25, positive: 3, ...how });
});

programs('refuses data without labels', async () => {
  assert.match(
    await rejected(program()),
    /^ConfigError: label: toy has no column label and no threshold .*; give --threshold="\{'rating': 4\}"$/,
  );
});

programs('refuses a rating that is no class, naming it', async () => {
  assert.match(
    await rejected(program("--threshold={'rating': 3}", '--multi_cls=4')),
    /^ConfigError: --multi_cls=4: rating 5 of user ann and item tea is not within 1 … 4; give another/,
  );
});

programs('refuses classes without a rating column', async () => {
  const { config, dataset } = await opened(threshold, '--multi_cls=5');
  assert.throws(
    () => programOf(config, { ...dataset, rating: null }),
    /^--multi_cls=5: toy has no float column rating .*; load it, name another with --RATING_FIELD/,
  );
});

programs('takes whole ratings only as targets of binary logits', async () => {
  const { config, dataset } = await opened(threshold);
  const { model_options } = await configured('--model=DCN', '--loss_type=rating');
  const rated = { ...config, model: 'DCN', model_options };
  assert.throws(
    () => programOf(rated, dataset),
    /^--loss_type=rating: toy has the rating 2.5, which is not a whole number from 1 on; name another column/,
  );
  assert.throws(
    () => programOf(rated, { ...dataset, rating: null }),
    /^--loss_type=rating: toy has no ratings;/,
  );
});

programs.run();

const data = suite('openDataset');

data('says in one message where a missing set was looked for, and how to come by it', async () => {
  for (const name of ['yelp2018', 'absent']) {
    const message = await rejected(configured(`--dataset=${name}`).then((c) => openDataset(c, () => {})));
    assert.match(message, new RegExp(`^ConfigError: --dataset=${name}: .+${name}\\.inter is not there`));
    assert.match(
      message,
      /; put RecBole's atomic files .*, or make a synthetic one with: node cli\/data\.js synth /,
    );
  }
});

data('says the same of a folder without files', async () => {
  mkdirSync(join(folder, 'empty'));
  const config = await configured('--dataset=empty');
  assert.match(await rejected(openDataset(config, () => {})), /empty\.inter is not there/);
});

data('says which fields a model does not read', async () => {
  const columns = 'user_id:token item_id:token rating:float hour:token';
  writeInter('hours', [columns, 'ann tea 5 noon', 'bob rye 1 dawn']);
  const lines: string[] = [];
  const flags = ['--model=DSSM', '--dataset=hours', threshold];
  const load = "--load_col={'inter': ['user_id', 'item_id', 'rating', 'hour']}";
  const { schema } = await openDataset(await configured(...flags, load), (line) => lines.push(line));
  assert.ok(lines.includes('DSSM: does not read hour'), lines.join('; '));
  assert.equal(
    schema.token.map(({ name }) => name),
    ['user_id', 'item_id'],
  );
});

data.run();

const rates = suite('learningRates');

rates('follow the schedule over the epochs', async () => {
  const at = async (epoch: number, ...flags: readonly string[]) =>
    learningRates(await configured(threshold, '--learning_rate=0.5', ...flags))(1, epoch);
  assert.is(await at(7), 0.5);
  assert.is(await at(7, '--lr_scheduler=step', '--lr_step_size=3', '--lr_gamma=0.5'), 0.125);
  assert.is(await at(2, '--lr_scheduler=exponential', '--lr_gamma=0.5'), 0.125);
  assert.ok(Math.abs((await at(5, '--lr_scheduler=cosine', '--epochs=10', '--lr_min=0.1')) - 0.3) < 1e-12);
});

rates.run();

const optimizer = suite('optimizerFor');

optimizer('finds every learner and refuses what one cannot do', async () => {
  for (const learner of ['adam', 'sgd', 'adagrad', 'rmsprop', 'sparse_adam']) {
    assert.is(optimizerFor(await configured(threshold, `--learner=${learner}`)).name, learner);
  }
  const config = await configured(threshold, '--learner=sparse_adam', '--weight_decay=0.1');
  assert.throws(() => optimizerFor(config), /^sparse_adam: weight decay is 0\.1, .*; use 0, or adam$/);
});

optimizer.run();

const same = suite('checkSameIds and checkSameData');

async function checkpointOf({ dataset }: { dataset: Dataset }): Promise<Checkpoint> {
  const { schema, vocabularies } = dataset;
  const data = dataIdentity(packFeatures(dataset));
  const none = { epochs: 0, valid: null, run: null, tensors: new Map() };
  return { path: 'best.ckpt', config: null, adapter: '', data, schema, vocabularies, ...none };
}

same('pass for the same data', async () => {
  const { dataset } = await opened(threshold);
  const checkpoint = await checkpointOf({ dataset });
  checkSameIds(checkpoint, dataset);
  checkSameData(checkpoint, packFeatures(dataset));
});

same('name what has changed', async () => {
  const { dataset } = await opened(threshold);
  const checkpoint = await checkpointOf({ dataset });
  const changed = async (lines: readonly string[]) => {
    writeInter('toy2', ['user_id:token item_id:token rating:float', ...lines]);
    return (await opened(threshold, '--dataset=toy2')).dataset;
  };
  const fewer = await changed(['ann tea 5', 'ann rye 2.5', 'bob tea 1']);
  assert.throws(
    () => checkSameIds(checkpoint, fewer),
    /^checkpoint best\.ckpt: was trained with user_id of 4 ids \(\.inter\), the data set has user_id of 3 ids/,
  );
  const renamed = await changed(['ann tea 5', 'ann rye 2.5', 'eve tea 1', 'cem oat 4']);
  assert.throws(
    () => checkSameIds(checkpoint, renamed),
    /user_id has other ids: 2 was "bob" and is "eve"; restore/,
  );
  const other = await changed(['ann tea 5', 'ann rye 2.5', 'bob tea 1', 'cem oat 3']);
  checkSameIds(checkpoint, other);
  const otherValues = () => checkSameData(checkpoint, packFeatures(other));
  assert.throws(
    otherValues,
    /^checkpoint best\.ckpt: the data set has other values in its 4 interactions since/,
  );
  const more = await changed(['ann tea 5', 'ann rye 2.5', 'bob tea 1', 'cem oat 4', 'cem tea 4']);
  assert.throws(
    () => checkSameData(checkpoint, packFeatures(more)),
    /has 5 interactions, not 4 since; restore/,
  );
});

same.run();
