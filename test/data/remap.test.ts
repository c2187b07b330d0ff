import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cellsOf, loadToy, rejection, tokensOf } from '../support/data_set.js';

const numbering = suite('remap');

const files = {
  inter: `
    user_id:token,item_id:token,daypart:token
    b,x,noon
    a,y,
    b,y,dawn
  `,
  user: `
    user_id:token,age:float,friends:token_seq,city:token
    c,20,a d,Oslo
    a,,,
    b,40,e,Bern
  `,
};

numbering('numbers ids in the order of .inter, then of .user', async () => {
  const { inter, vocabularies } = await loadToy(files);
  assert.equal(vocabularies.get('user_id'), ['[PAD]', 'b', 'a', 'c']);
  assert.equal(cellsOf(inter, 'user_id'), [1, 2, 1]);
  assert.equal(cellsOf(inter, 'item_id'), [1, 2, 2]);
});

numbering('numbers features in the order of their file and puts them in the order of the ids', async () => {
  const { users, vocabularies } = await loadToy(files);
  assert.equal(vocabularies.get('city'), ['[PAD]', 'Oslo', 'Bern']);
  assert.equal(cellsOf(users, 'city'), [0, 2, 0, 1]);
  assert.equal(vocabularies.get('friends'), ['[PAD]', 'a', 'd', 'e']);
  assert.equal(cellsOf(users, 'friends'), [[], [3], [], [1, 2]]);
});

numbering('gives missing tokens 0 and missing numbers, with those of row 0, the mean', async () => {
  const { inter, users } = await loadToy(files);
  assert.equal(cellsOf(inter, 'daypart'), [1, 0, 2]);
  assert.equal(cellsOf(users, 'age'), [30, 40, 30, 20]);
});

numbering('drops tokens that no remaining row holds', async () => {
  const { vocabularies } = await loadToy(files, { val_interval: { daypart: ['dawn'] } });
  assert.equal(vocabularies.get('daypart'), ['[PAD]', 'dawn']);
  assert.equal(vocabularies.get('item_id'), ['[PAD]', 'y']);
});

numbering('numbers fields with an alias together, one after the other', async () => {
  const dataset = await loadToy(files, { alias_of_user_id: ['friends'] });
  const { users, vocabularies, schema } = dataset;
  assert.equal(vocabularies.get('user_id'), ['[PAD]', 'b', 'a', 'c', 'd', 'e']);
  assert.is(vocabularies.get('friends'), vocabularies.get('user_id'));
  assert.equal(cellsOf(users, 'friends'), [[], [5], [], [2, 4], [], []]);
  assert.is(users?.rows, 6, 'ids that only an alias has are rows too');
  assert.is(schema.tokenSeq[0].cardinality, 6);
  assert.equal(tokensOf(dataset, users, 'friends')[3], ['a', 'd']);
});

numbering('numbers other groups of fields together', async () => {
  const toys = { inter: 'user_id:token,item_id:token,head:token,tail:token\nu,i,p,q\nu,i,q,r' };
  const { inter, vocabularies } = await loadToy(toys, { alias_of_entity_id: ['head', 'tail'] });
  assert.equal(vocabularies.get('tail'), ['[PAD]', 'p', 'q', 'r']);
  assert.equal(cellsOf(inter, 'tail'), [2, 3]);
});

numbering('refuses aliases that make no sense', async () => {
  const both = { alias_of_user_id: ['friends'], alias_of_item_id: ['friends'] };
  assert.match(await rejection(loadToy(files, both)), /alias_of_\*: friends stands in two of them/);
  assert.match(await rejection(loadToy(files, { alias_of_item_id: ['album'] })), /no field album is loaded/);
  assert.match(await rejection(loadToy(files, { alias_of_item_id: ['age'] })), /age has type float/);
});

numbering('pads sequences to the longest that remains', async () => {
  const { users, schema } = await loadToy(files);
  const column = users?.columns.get('friends');
  assert.is(column?.type === 'token_seq' && column.maxLength, 2);
  assert.is(schema.tokenSeq[0].maxLength, 2);
  const short = await loadToy(files, { seq_len: { friends: 1 } });
  assert.equal(cellsOf(short.users, 'friends'), [[], [2], [], [1]]);
  assert.equal(short.vocabularies.get('friends'), ['[PAD]', 'a', 'e'], 'what is cut off is never numbered');
});

numbering('gives sequences a width even where all are empty', async () => {
  const { items, schema } = await loadToy({
    inter: 'user_id:token,item_id:token\nu,i',
    item: 'item_id:token,genre:token_seq\ni,',
  });
  assert.equal(cellsOf(items, 'genre'), [[], []]);
  assert.is(schema.tokenSeq[0].maxLength, 1);
  assert.is(schema.tokenSeq[0].cardinality, 1);
});

numbering('keeps float sequences, padded', async () => {
  const { items } = await loadToy({
    inter: 'user_id:token,item_id:token\nu,i\nu,j',
    item: 'item_id:token,vector:float_seq\nj,1 2\ni,3',
  });
  const column = items?.columns.get('vector');
  assert.equal(column?.type === 'float_seq' && [...column.values], [0, 0, 3, 0, 1, 2]);
});

numbering.run();
