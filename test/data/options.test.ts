import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import {
  dataOptionTable,
  defaultDataOptions,
  type DataOption,
  type DataOptions,
} from '../../data/options.js';

const table = new Map<string, DataOption<unknown>>(Object.entries(dataOptionTable));

const options = suite('dataOptionTable');

options('has a meaning for every option, and accepts its default', () => {
  for (const [name, { default: value, meaning, form, accepts }] of table) {
    assert.ok(meaning.length > 0 && form.length > 0, name);
    if (name !== 'dataset') assert.ok(accepts(value), name);
    assert.equal(defaultDataOptions[name as keyof DataOptions], value);
  }
});

const good: Readonly<Record<string, readonly unknown[]>> = {
  load_col: [{ inter: ['user_id'], user: '*' }, null],
  unload_col: [{ item: ['title'] }],
  seq_len: [{ genre: 3 }],
  threshold: [{ rating: 4 }],
  rm_dup_inter: ['first', 'last', null],
  val_interval: [{ rating: '[3,inf)' }, { gender: ['F', 'M'] }, { rating: [3, 5] }],
  user_inter_num_interval: ['[10,inf)', [10, 20], null],
  discretization: [{ price: { method: 'ED', bucket: 5 } }, { price: { method: 'LD' } }],
  normalize_all: [true, null],
  eval_args: [{ split: { LS: 'test_only' }, order: 'TO', group_by: 'user', mode: 'labeled' }],
};

const bad: Readonly<Record<string, readonly unknown[]>> = {
  data_path: ['', 3, null],
  load_col: [['user_id'], { inter: 'user_id' }, { inter: [1] }],
  seq_len: [{ genre: 0 }, { genre: 1.5 }, 3],
  threshold: [{ rating: '4' }, 4, { rating: NaN }],
  rm_dup_inter: ['middle', true],
  val_interval: ['[3,inf)', { rating: 3 }],
  user_inter_num_interval: [10, [1, 2, 3]],
  discretization: [{ price: { method: 'ED' } }, { price: { method: 'XD', bucket: 2 } }, { price: 'LD' }],
  numerical_features: ['price', null],
  normalize_all: ['yes'],
  eval_args: [
    { split: { RS: [0.8, 0.2] }, order: 'RO', group_by: 'none', mode: 'labeled' },
    { split: { RS: [0, 1, 1] }, order: 'RO', group_by: 'none', mode: 'labeled' },
    { split: { TS: [0.8, 0.1, 0.1] }, order: 'RO', group_by: 'none', mode: 'labeled' },
    { split: { LS: 'all' }, order: 'RO', group_by: 'none', mode: 'labeled' },
    { split: { LS: 'test_only' }, order: 'XO', group_by: 'none', mode: 'labeled' },
    'RS',
  ],
  seed: [-1, 1.5],
};

options('accepts the forms that RecBole takes', () => {
  for (const [name, values] of Object.entries(good)) {
    for (const value of values)
      assert.ok(table.get(name)?.accepts(value), `${name} ${JSON.stringify(value)}`);
  }
});

options('refuses other forms', () => {
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values)
      assert.not(table.get(name)?.accepts(value), `${name} ${JSON.stringify(value)}`);
  }
});

options.run();

const properties = suite('data/properties');

// What belongs to training, but depends on the data set.
const training = new Map([
  ['train_batch_size', 4096],
  ['learning_rate', 0.005],
]);

for (const file of readdirSync('data/properties')) {
  properties(`${file} holds known options in their forms`, () => {
    const values = parse(readFileSync(`data/properties/${file}`, 'utf8')) as Record<string, unknown>;
    for (const [name, value] of Object.entries(values)) {
      if (training.has(name)) assert.is(value, training.get(name));
      else assert.ok(table.get(name)?.accepts(value), name);
    }
    assert.equal(values.threshold, { rating: 4 });
    assert.equal(values.normalize_field, values.numerical_features);
  });
}

properties('there is one for every data set of the paper, and for the sample', () => {
  const names = readdirSync('data/properties').sort();
  assert.equal(names, ['amazon-books.yaml', 'ml-100k.yaml', 'ml-1m.yaml', 'sample.yaml', 'yelp2018.yaml']);
});

properties.run();
