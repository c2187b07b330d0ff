import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset } from '../../data/dataset.js';
import { defaultDataOptions } from '../../data/options.js';
import { statistics } from '../../data/stats.js';
import { loadToy } from '../support/data_set.js';

const stats = suite('statistics');

stats('prints what RecBole prints', async () => {
  const options = {
    ...defaultDataOptions,
    data_path: 'test/fixtures',
    dataset: 'mini',
    load_col: {
      inter: ['user_id', 'item_id', 'rating'],
      user: ['user_id', 'age'],
      item: ['item_id', 'class'],
    },
    threshold: { rating: 4 },
  };
  // 900 interactions of 40 users with 60 items; users and items count their [PAD].
  const want = `mini
The number of users: 41
Average actions of users: 22.5
The number of items: 61
Average actions of items: 15.0
The number of inters: 900
The sparsity of the dataset: ${(1 - 900 / 41 / 61) * 100}%
Remain Fields: ['user_id', 'item_id', 'rating', 'age', 'class', 'label']`;
  assert.is(statistics(await loadDataset(options), options), want);
});

stats(
  'counts only users with interactions in the average, and lists a loaded label in its place',
  async () => {
    const files = {
      inter: 'user_id:token,label:float,item_id:token\nu,1,i\nu,0,j',
      user: 'user_id:token,age:token\nu,20\nv,30',
    };
    const lines = statistics(await loadToy(files), defaultDataOptions).split('\n');
    assert.is(lines[1], 'The number of users: 3');
    assert.is(lines[2], 'Average actions of users: 2.0');
    assert.is(lines.at(-1), "Remain Fields: ['user_id', 'label', 'item_id', 'age']");
  },
);

stats.run();
