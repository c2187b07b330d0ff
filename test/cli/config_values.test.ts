import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dataFolder, load, refused } from './config_support.js';

const folder = dataFolder();
const reading = suite('values');

reading('takes the forms of RecBole', async () => {
  const { config } = await load(
    folder,
    '--model=NFM',
    '--mlp_hidden_size=[256, 256, 256]',
    "--threshold={'rating': 4}",
    '--learning_rate=5e-4',
    '--shuffle=false',
    "--clip_grad_norm={'max_norm': 5, 'norm_type': 2}",
    '--metrics=auc',
    '--topk=10',
    "--dataset_save_path='saved/x.pth'",
    '--learner=Adam',
    "--val_interval={'rating': '[3,inf)'}",
  );
  assert.equal(config.model_options.mlp_hidden_size, [256, 256, 256]);
  assert.equal([config.learning_rate, config.shuffle, config.learner], [0.0005, false, 'adam']);
  assert.equal(config.clip_grad_norm, { max_norm: 5, norm_type: 2 });
  assert.equal([config.metrics, config.topk, config.dataset_save_path], [['AUC'], [10], 'saved/x.pth']);
  assert.equal([config.data.threshold, config.data.val_interval], [{ rating: 4 }, { rating: '[3,inf)' }]);
});

reading('takes values after a space, bare flags for True, and None', async () => {
  const { config } = await load(folder, '--seed', '7', '--quiet', '--save_dataset', '--clip_grad_norm=None');
  assert.equal(
    [config.seed, config.quiet, config.save_dataset, config.clip_grad_norm],
    [7, true, true, null],
  );
});

reading('takes the same flag twice only with one value', async () => {
  assert.is((await load(folder, '--seed=1', '--seed=1')).config.seed, 1);
  await refused(folder, ['--seed=1', '--seed=2'], '--seed: given twice, as 1 and 2; give it once');
});

const wrongValues: readonly (readonly [string, string])[] = [
  ['--learning_rate=fast', 'not a number; give a float such as 0.001'],
  ['--learning_rate=0', 'out of range; it must be above 0'],
  ['--epochs=1.5', 'not a whole number; give an int such as 300'],
  ['--epochs=-1', 'out of range; it must be at least 0'],
  ['--train_batch_size=0', 'out of range; it must be at least 1'],
  ['--eval_batch_size=[1]', 'not a number; give an int such as 4096'],
  ['--shuffle=maybe', 'neither True nor False; give one of them'],
  ['--learner=lamb', 'not known; give one of adam, sgd, adagrad, rmsprop, sparse_adam'],
  ['--metrics=AUCC', 'no such metric; did you mean AUC'],
  ['--metrics=Recall', 'Recall ranks items, training scores labelled rows; give one of AUC, *rank-eval.js'],
  ['--metrics=[]', "empty; give a list such as ['AUC', 'LogLoss']"],
  ['--valid_metric=MAE', 'not one of the metrics AUC, LogLoss; add it to --metrics'],
  ['--topk=[10, 0]', 'item 2: out of range; it must be at least 1'],
  ['--clip_grad_norm=5', "not understood; give {'max_norm': 5, 'norm_type': 2}"],
  ["--clip_grad_norm={'max_norm': 5, 'norm_type': 1}", 'norm_type is 1, but only the 2-norm is here; give 2'],
  ['--threshold=4', "not a dict of the right form; give {'rating': 4}"],
  ['--load_col=[', '"[" is not closed; add "]" (character 1); give a Python literal *'],
  ['--rm_dup_inter=both', 'not a str of the right form; give first or last'],
  ['--multi_cls=1', 'out of range; it must be at least 2 and at most 1024'],
  ['--multi_ratio=1.5', 'out of range; it must be at least 0 and at most 1'],
  ['--multi_ratio=0.5', 'has no meaning without classes; give --multi_cls=5 as well'],
  ['--multi_cls=5', `needs the rating from which a row is positive; give --threshold="{'rating': 4}"`],
  ['--label_agg=sum', 'not known; give one of logit_sum, prob_sum'],
  ['--epoch=3', 'no such option; did you mean epochs?'],
  ['--constructor=3', 'no such option; --help lists them all'],
  ['--n_layers=3', 'an option of AutoInt, FiGNN, not of FM; leave it out'],
];

reading('says what is wrong with a value', async () => {
  for (const [flag, message] of wrongValues) await refused(folder, [flag], `${flag}: ${message}`);
  await refused(folder, ['--epochs'], '--epochs: has no value; write --epochs=300');
  await refused(folder, ['epochs=3'], 'epochs=3: not an option; write options as --name=value');
  await refused(folder, ['-x'], '-x: not an option; write options as --name=value');
});

reading("checks a model's own options by their names", async () => {
  const nfm = (flag: string, message: string) =>
    refused(folder, ['--model=NFM', flag], `${flag}: ${message}`);
  await nfm('--dropout_prob=1', 'out of range; it must be at least 0 and below 1');
  await nfm('--mlp_hidden_size=[64, 0.5]', 'item 2: out of range; it must be at least 1');
  await nfm('--mlp_hidden_size=wide', 'not a number; give an int such as 64');
  const { config } = await load(
    folder,
    '--model=DCNV2',
    '--reg_weight=5e-4',
    '--mixed',
    '--structure=stacked',
  );
  const { reg_weight, mixed, structure } = config.model_options;
  assert.equal([reg_weight, mixed, structure], [5e-4, true, 'stacked']);
});

reading.run();

const supervision = suite('multi_cls');
const threshold = "--threshold={'rating': 4}";

supervision('takes a ratio of 0.5 and says so', async () => {
  const { config, notes } = await load(folder, '--multi_cls=5', threshold);
  assert.equal([config.multi_cls, config.multi_ratio], [5, 0.5]);
  assert.match(notes.join('\n'), /multi_ratio=0\.5: not given/);
  const given = await load(folder, '--multi_cls=5', '--multi_ratio=0', threshold);
  assert.equal([given.config.multi_ratio, given.notes], [0, []]);
});

supervision('wants a threshold between two classes', async () => {
  const flags = (value: string) => ['--multi_cls=5', `--threshold={'rating': ${value}}`];
  const message = (value: string) =>
    `--multi_cls=5: a threshold of ${value} leaves no whole classes on both sides; give one of 2 … 5`;
  for (const value of ['1', '6', '3.5']) await refused(folder, flags(value), message(value));
  assert.is((await load(folder, ...flags('5'))).config.multi_cls, 5);
});

supervision('notes an aggregation without classes', async () => {
  const { notes } = await load(folder, '--label_agg=prob_sum');
  assert.equal(notes, ['label_agg=prob_sum without effect: no multi_cls is given']);
});

supervision.run();

const evalArgs = suite('eval_args');

evalArgs('replaces the whole dictionary, left-out keys by the values of RecBole', async () => {
  const { config } = await load(folder, "--eval_args={'order': 'TO'}");
  assert.equal(config.eval_args, {
    split: { RS: [0.8, 0.1, 0.1] },
    order: 'TO',
    group_by: 'user',
    mode: 'labeled',
  });
});

evalArgs('takes leave-one-out, no grouping and modes by phase', async () => {
  const value =
    "{'split': {'LS': 'valid_only'}, 'group_by': None, 'mode': {'valid': 'labeled', 'test': 'labeled'}}";
  const { config } = await load(folder, `--eval_args=${value}`);
  assert.equal(config.eval_args, {
    split: { LS: 'valid_only' },
    order: 'RO',
    group_by: 'none',
    mode: 'labeled',
  });
});

const wrongArgs: readonly (readonly [string, string])[] = [
  [
    "{'mode': 'uni100'}",
    "mode is 'uni100', but training evaluates labelled rows; give labeled, *rank-eval.js",
  ],
  ["{'splitt': 1}", 'no key splitt; have split, order, group_by, mode'],
  ["{'split': {'RS': [1, 1]}}", 'RS wants three shares such as [0.8, 0.1, 0.1], the first above 0'],
  ["{'split': {'LS': 'all'}}", 'LS wants one of valid_and_test, valid_only, test_only'],
  ["{'split': 8}", "split is 8; give {'RS': [0.8, 0.1, 0.1]} or {'LS': 'valid_and_test'}"],
  ["{'order': 'XO'}", "order is 'XO'; give RO (random) or TO (by time)"],
  ["{'group_by': 'item'}", "group_by is 'item'; give user or none"],
];

evalArgs('says what is wrong', async () => {
  for (const [value, message] of wrongArgs) {
    await refused(folder, [`--eval_args=${value}`], `--eval_args=${value}: ${message}`);
  }
});

evalArgs.run();
