import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DataOptions } from '../../data/options.js';
import { cellsOf, loadToy, rejection, type Files } from '../support/data_set.js';

const files = {
  inter: `
    user_id:token,item_id:token,rating:float,price:float,click:float,vector:float_seq
    u,i,5,10,1,1 2
    u,j,3,30,0,3
    v,i,1,20,1,
  `,
  user: 'user_id:token,age:float\nu,20\nv,60',
};

const message = (options: Partial<DataOptions>, from: Files = files) => rejection(loadToy(from, options));

const checking = suite('checkFields');

checking('refuses a rating, a label or what it is made of as a model input', async () => {
  const want = (name: string) =>
    new RegExp(`numerical_features: ${name} is what is to be predicted, never a model input`);
  assert.match(await message({ numerical_features: ['age', 'rating'] }), want('rating'));
  assert.match(await message({ numerical_features: ['click'], LABEL_FIELD: 'click' }), want('click'));
  assert.match(await message({ numerical_features: ['price'], threshold: { price: 15 } }), want('price'));
  assert.match(await message({ numerical_features: ['price'], RATING_FIELD: 'price' }), want('price'));
});

checking('refuses inputs that are not float, or not loaded', async () => {
  assert.match(
    await message({ numerical_features: ['vector'] }),
    /vector has type float_seq, .* no model input/,
  );
  assert.match(
    await message({ numerical_features: ['item_id'] }),
    /item_id has type token, .* a model input anyway/,
  );
  assert.match(await message({ numerical_features: ['stars'] }), /no field stars is loaded, only user_id/);
});

checking('refuses a threshold that says nothing', async () => {
  assert.match(await message({ threshold: { rating: 4, price: 1 } }), /threshold: has 2 fields; give one/);
  assert.match(await message({ threshold: { stars: 4 } }), /threshold: no field stars is loaded/);
  assert.match(
    await message({ threshold: { age: 4 } }),
    /threshold: age is in \.user, want a field of \.inter/,
  );
  assert.match(
    await message({ threshold: { item_id: 4 } }),
    /item_id: has type token, but a rating or label must be/,
  );
});

checking('refuses a rating that is a token', async () => {
  const tokens = { inter: 'user_id:token,item_id:token,rating:token\nu,i,5' };
  assert.match(
    await message({}, tokens),
    /rating: has type token, but a rating or label must be of type float/,
  );
});

checking('refuses buckets for what is no input, and lengths for what is no sequence', async () => {
  const discretization = { age: { method: 'LD' } } as const;
  assert.match(await message({ discretization }), /discretization: age is not one of numerical_features/);
  assert.match(await message({ seq_len: { age: 3 } }), /seq_len: age has type float, which is no sequence/);
  assert.match(await message({ seq_len: { tags: 3 } }), /seq_len: no field tags is loaded/);
});

checking('refuses unused columns that are needed, or in another file', async () => {
  assert.match(await message({ unused_col: { inter: ['user_id'] } }), /user_id joins the tables/);
  assert.match(await message({ unused_col: { inter: ['age'] } }), /age is not in \.inter; name it under/);
});

checking('refuses an input without any value', async () => {
  const empty = { inter: 'user_id:token,item_id:token,price:float\nu,i,' };
  assert.match(await message({ numerical_features: ['price'] }, empty), /price: has no value in any row/);
  assert.is((await loadToy(empty)).inter.rows, 1, 'a column that nobody reads may be empty');
});

checking.run();

const normalizing = suite('fieldsToNormalize');

normalizing('is what normalize_field names, floats only', async () => {
  const notes: string[] = [];
  const options = { normalize_field: ['age', 'vector', 'item_id'] };
  const { inter, users } = await loadToy(files, options, notes);
  assert.equal(cellsOf(users, 'age'), [0.5, 0, 1]);
  assert.equal(cellsOf(inter, 'price'), [10, 30, 20]);
  const vector = inter.columns.get('vector');
  assert.equal(vector?.type === 'float_seq' && [...vector.values], [0, 0.5, 1, 0, 0, 0]);
  assert.equal(notes, ['normalize_field: item_id has type token and is not normalized']);
});

normalizing('is every float with normalize_all, but rating and label', async () => {
  const { inter, label } = await loadToy(files, { normalize_all: true, LABEL_FIELD: 'click' });
  assert.equal(cellsOf(inter, 'price'), [0, 1, 0.5]);
  assert.equal(cellsOf(inter, 'rating'), [5, 3, 1]);
  assert.equal([...(label ?? [])], [1, 0, 1]);
});

normalizing('refuses the rating, both options at once, and fields that are not there', async () => {
  assert.match(
    await message({ normalize_field: ['rating'] }),
    /rating is what is to be predicted and stays as it is/,
  );
  assert.match(await message({ normalize_field: ['age'], normalize_all: true }), /both are given/);
  assert.match(await message({ normalize_field: ['stars'] }), /normalize_field: no field stars is loaded/);
});

normalizing('says where all values are the same', async () => {
  const notes: string[] = [];
  const same = { inter: 'user_id:token,item_id:token,price:float\nu,i,3\nu,j,3' };
  assert.equal(cellsOf((await loadToy(same, { normalize_all: true }, notes)).inter, 'price'), [1, 1]);
  assert.equal(notes, ['price: all values are the same']);
});

normalizing.run();

const describing = suite('schemaOf');

describing('lists inputs by type, each with the first of its rows', async () => {
  const { schema, users, inter } = await loadToy(files, {
    numerical_features: ['price', 'age'],
    discretization: { age: { method: 'ED', bucket: 3 } },
  });
  assert.equal(schema.token, [
    { name: 'user_id', source: 'inter', cardinality: 3, offset: 0 },
    { name: 'item_id', source: 'inter', cardinality: 3, offset: 3 },
  ]);
  assert.equal(schema.float, [
    { name: 'price', source: 'inter', cardinality: 2, offset: 0 },
    { name: 'age', source: 'user', cardinality: 4, offset: 2 },
  ]);
  const age = users?.columns.get('age');
  const price = inter.columns.get('price');
  assert.equal(age?.type === 'float' && [[...age.values], [...(age.index ?? [])]], [
    [1, 1, 1],
    [2, 1, 3],
  ]);
  assert.equal(price?.type === 'float' && [[...price.values], [...(price.index ?? [])]], [
    [10, 30, 20],
    [1, 1, 1],
  ]);
});

describing('leaves out unused columns, which stay in their tables', async () => {
  const both = { inter: 'user_id:token,item_id:token,daypart:token\nu,i,noon' };
  const { schema, inter } = await loadToy(both, { unused_col: { inter: ['daypart'] } });
  assert.equal(
    schema.token.map(({ name }) => name),
    ['user_id', 'item_id'],
  );
  assert.equal(cellsOf(inter, 'daypart'), [1]);
});

describing.run();
