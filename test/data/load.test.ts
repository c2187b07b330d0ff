import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DataOptions } from '../../data/options.js';
import type { Dataset } from '../../data/schema.js';
import { loadToy, rejection, type Files } from '../support/data_set.js';

const files = {
  inter: 'user_id:token,item_id:token,rating:float,daypart:token\nu,i,5,noon',
  user: 'user_id:token,age:token,city:token\nu,20,Oslo',
  item: 'item_id:token,genre:token_seq\ni,Drama',
};

function loaded({ inter, users, items }: Dataset): Record<string, string[]> {
  const names = (table: Dataset['users']) => [...(table?.columns.keys() ?? [])];
  return { inter: names(inter), user: names(users), item: names(items) };
}

const message = (options: Partial<DataOptions>, from: Files = files) => rejection(loadToy(from, options));

const columns = suite('loadAtomic');

columns('loads every column of every file by default', async () => {
  assert.equal(loaded(await loadToy(files)), {
    inter: ['user_id', 'item_id', 'rating', 'daypart'],
    user: ['age', 'city'],
    item: ['genre'],
  });
});

columns('loads what load_col names, in the order of the file, and no file that it leaves out', async () => {
  const load_col = { inter: ['rating', 'item_id', 'user_id'], user: ['city', 'user_id'] };
  const dataset = await loadToy(files, { load_col });
  assert.equal(loaded(dataset), { inter: ['user_id', 'item_id', 'rating'], user: ['city'], item: [] });
  assert.is(dataset.items, null);
  assert.not(dataset.vocabularies.has('genre'));
});

columns('loads whole files where load_col has a star', async () => {
  const dataset = await loadToy(files, { load_col: { inter: '*', item: '*' } });
  assert.equal(loaded(dataset), {
    inter: ['user_id', 'item_id', 'rating', 'daypart'],
    user: [],
    item: ['genre'],
  });
});

columns('leaves out what unload_col names', async () => {
  const dataset = await loadToy(files, { unload_col: { inter: ['daypart'], user: ['age'] } });
  assert.equal(loaded(dataset), { inter: ['user_id', 'item_id', 'rating'], user: ['city'], item: ['genre'] });
});

columns('takes other separators', async () => {
  const dataset = await loadToy(
    { inter: 'user_id:token|item_id:token|tags:token_seq\nu|i|a b;c' },
    { field_separator: '|', seq_separator: ';' },
  );
  assert.equal(dataset.vocabularies.get('tags'), ['[PAD]', 'a b', 'c']);
});

columns('takes other names of the id fields', async () => {
  const dataset = await loadToy(
    { inter: 'who:token,what:token\nu,i', user: 'who:token,age:token\nu,20' },
    { USER_ID_FIELD: 'who', ITEM_ID_FIELD: 'what' },
  );
  assert.equal([dataset.schema.userField, dataset.schema.itemField], ['who', 'what']);
  assert.is(dataset.users?.rows, 2);
});

columns('names a column or a file that load_col asks for in vain', async () => {
  const inter = ['user_id', 'item_id'];
  assert.match(
    await message({ load_col: { inter: [...inter, 'stars'] } }),
    /toy\.inter:1: load_col: no column stars; have user_id, item_id, rating, daypart/,
  );
  assert.match(
    await message({ load_col: { inter, user: ['user_id'] } }, { inter: files.inter }),
    /load_col: names columns of \.user, but there is no .*toy\.user/,
  );
  assert.match(await message({ load_col: { user: ['user_id'] } }), /load_col: no columns of inter/);
  assert.match(
    await message({ load_col: { inter, kg: ['head'] } }),
    /load_col: no file kind kg; have inter, user, item/,
  );
});

columns('refuses load_col and unload_col of one file', async () => {
  const options = { load_col: { inter: ['user_id', 'item_id'] }, unload_col: { inter: ['rating'] } };
  assert.match(await message(options), /load_col and unload_col: both name columns of inter/);
});

columns('wants ids, of type token', async () => {
  assert.match(
    await message({ unload_col: { inter: ['item_id'] } }),
    /\.inter: no column item_id is loaded, only/,
  );
  assert.match(await message({ unload_col: { user: ['user_id'] } }), /\.user: no column user_id is loaded/);
  assert.match(
    await message({}, { inter: 'user_id:float,item_id:token\n1,i' }),
    /\.inter: user_id has type float; ids must be of type token/,
  );
});

columns('refuses a field that two files have', async () => {
  const both = { ...files, item: 'item_id:token,city:token\ni,Bern' };
  assert.match(await message({}, both), /city: a column of \.user and of \.item; leave one out/);
});

columns('refuses a file without rows', async () => {
  assert.match(
    await message({}, { inter: 'user_id:token,item_id:token' }),
    /the filters leave no row of \.inter/,
  );
});

const head = 'user_id:token,item_id:token,rating:float';
const parts = { 'a.inter': `${head}\nu,i,1`, 'b.inter': `${head}\nu,i,2`, 'c.inter': `${head}\nu,i,3` };

columns('wants three files that were split before, with the same columns', async () => {
  const benchmark_filename = ['a', 'b', 'c'];
  assert.is((await loadToy(parts, { benchmark_filename })).inter.rows, 3);
  assert.match(await message({ benchmark_filename: ['a', 'b'] }, parts), /has 2 names; give three/);
  const other = { ...parts, 'b.inter': 'user_id:token,item_id:token\nu,i' };
  assert.match(
    await message({ benchmark_filename }, other),
    /toy\.b\.inter:1: has columns item_id:token, user_id:token, but .*toy\.a\.inter has .*rating:float/,
  );
  assert.match(await message({ benchmark_filename: ['a', 'b', 'x'] }, parts), /no toy\.x\.inter in/);
});

columns.run();
