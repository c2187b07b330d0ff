import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DataOptions } from '../../data/options.js';
import type { Dataset } from '../../data/schema.js';
import { Mt19937 } from '../../data/mt19937.js';
import { cellsOf, loadToy, rejection, tokensOf, type Files } from '../support/data_set.js';

const filtering = suite('filterRows');

/** The interactions that remain, as 'user item'. */
function pairs(dataset: Dataset): string[] {
  const items = tokensOf(dataset, dataset.inter, 'item_id');
  return tokensOf(dataset, dataset.inter, 'user_id').map((user, row) => `${user} ${items[row]}`);
}

async function left(files: Files, options: Partial<DataOptions>): Promise<string[]> {
  return pairs(await loadToy(files, options));
}

filtering('drops rows without a user or an item and says so', async () => {
  const notes: string[] = [];
  const files = {
    inter: 'user_id:token,item_id:token\nu1,i1\n,i1\nu2,\nu2,i2',
    user: 'user_id:token,age:token\nu1,20\n,30\nu2,40',
  };
  const dataset = await loadToy(files, {}, notes);
  assert.equal(pairs(dataset), ['u1 i1', 'u2 i2']);
  assert.equal(tokensOf(dataset, dataset.users, 'age'), ['[PAD]', '20', '40']);
  assert.equal(notes, [
    '.inter: 1 rows without user_id are dropped',
    '.inter: 1 rows without item_id are dropped',
    '.user: 1 rows without user_id are dropped',
  ]);
});

filtering('of several rows of one user in .user keeps the first', async () => {
  const files = {
    inter: 'user_id:token,item_id:token\nu1,i1\nu2,i1',
    user: 'user_id:token,age:token\nu1,20\nu2,40\nu1,30',
  };
  const dataset = await loadToy(files);
  assert.equal(tokensOf(dataset, dataset.users, 'age'), ['[PAD]', '20', '40']);
});

const repeated = {
  inter: `
    user_id:token,item_id:token,timestamp:float,mark:token
    u1,i1,30,a
    u2,i1,10,b
    u1,i1,10,c
    u1,i2,20,d
    u2,i1,10,e
    u1,i1,,f
  `,
};

const marks = async (options: Partial<DataOptions>, notes: string[] = []) => {
  const dataset = await loadToy(repeated, options, notes);
  return tokensOf(dataset, dataset.inter, 'mark').join('');
};

filtering('keeps the first or the last of repeated interactions, and sorts by time', async () => {
  assert.is(await marks({ rm_dup_inter: 'first' }), 'bcd');
  assert.is(await marks({ rm_dup_inter: 'last' }), 'edf');
  assert.is(await marks({ rm_dup_inter: null }), 'abcdef');
});

filtering('goes by the order of the file where there is no time, and says so', async () => {
  const notes: string[] = [];
  assert.is(await marks({ rm_dup_inter: 'first', TIME_FIELD: 'when' }, notes), 'abd');
  assert.is(await marks({ rm_dup_inter: 'last', TIME_FIELD: 'when' }), 'def');
  assert.match(notes.join(), /rm_dup_inter: when is not loaded/);
});

filtering('finds repeated interactions among many', async () => {
  const rng = new Mt19937(1);
  const rows = Array.from({ length: 3000 }, () => `u${rng.next() % 40} i${rng.next() % 60}`);
  const files = {
    inter: ['user_id:token,item_id:token', ...rows].join('\n').replaceAll(' ', ','),
  };
  assert.equal(await left(files, { rm_dup_inter: 'first' }), [...new Set(rows)]);
});

const rated = {
  inter: `
    user_id:token,item_id:token,rating:float,price:float,tag:token,tags:token_seq
    u1,i1,5,1,x,p
    u1,i2,2,,y,p q
    u2,i1,3,7,,q
    u3,i3,1,9,z,
  `,
  user: `
    user_id:token,gender:token,age:float
    u1,F,30
    u2,M,40
    u3,F,
  `,
};

filtering('keeps values inside the intervals, so no missing ones', async () => {
  assert.equal(await left(rated, { val_interval: { rating: '[3,inf)' } }), ['u1 i1', 'u2 i1']);
  assert.equal(await left(rated, { val_interval: { rating: '[0,1];(3,5]' } }), ['u1 i1', 'u3 i3']);
  assert.equal(await left(rated, { val_interval: { price: '(-inf,inf)' } }), ['u1 i1', 'u2 i1', 'u3 i3']);
  assert.equal(await left(rated, { val_interval: { rating: '[2,5]', price: '[0,5]' } }), ['u1 i1']);
});

filtering('keeps listed tokens', async () => {
  assert.equal(await left(rated, { val_interval: { tag: ['x', 'z', 'unknown'] } }), ['u1 i1', 'u3 i3']);
  assert.equal(await left(rated, { val_interval: { item_id: ['i1'] } }), ['u1 i1', 'u2 i1']);
});

filtering('drops interactions of users whose own row is filtered away', async () => {
  assert.equal(await left(rated, { val_interval: { gender: ['M'] } }), ['u2 i1']);
  assert.equal(await left(rated, { val_interval: { age: '[0,35]' } }), ['u1 i1', 'u1 i2']);
});

filtering('filters user ids in both tables', async () => {
  const dataset = await loadToy(rated, { val_interval: { user_id: ['u1', 'u3'] } });
  assert.equal(pairs(dataset), ['u1 i1', 'u1 i2', 'u3 i3']);
  assert.equal(tokensOf(dataset, dataset.users, 'gender'), ['[PAD]', 'F', 'F']);
});

filtering('refuses values that do not fit the field', async () => {
  const message = (val_interval: DataOptions['val_interval']) => rejection(loadToy(rated, { val_interval }));
  assert.match(await message({ rating: '3' }), /val_interval: rating: "3" is no interval/);
  assert.match(
    await message({ tag: '[1,2]' }),
    /val_interval: tag is a token field, .* give a list of tokens/,
  );
  assert.match(await message({ tags: ['p'] }), /val_interval: tags has type token_seq/);
  assert.match(await message({ stars: '[1,2]' }), /val_interval: no field stars is loaded/);
});

const sparse = {
  inter: 'user_id:token,item_id:token\nu1,i1\nu2,i1\nu1,i2\nu2,i2\nu3,i1',
  user: 'user_id:token,age:token\nu1,20\nu2,30\nu9,40',
};

filtering('drops interactions whose user has no row, unless it is told not to', async () => {
  assert.equal(await left(sparse, {}), ['u1 i1', 'u2 i1', 'u1 i2', 'u2 i2']);
  const dataset = await loadToy(sparse, { filter_inter_by_user_or_item: false });
  assert.is(dataset.inter.rows, 5);
  assert.equal(tokensOf(dataset, dataset.users, 'age'), ['[PAD]', '20', '30', '[PAD]', '40']);
});

filtering('keeps users without interactions, until the interval asks for one', async () => {
  assert.is((await loadToy(sparse)).users?.rows, 4);
  const dataset = await loadToy(sparse, { user_inter_num_interval: '[1,inf)' });
  assert.equal(dataset.vocabularies.get('user_id'), ['[PAD]', 'u1', 'u2']);
});

/** The slow obvious way: rounds over the pairs, both sides at once. */
function core(
  rows: readonly string[],
  users: readonly [number, number],
  items: readonly [number, number],
): string[] {
  const count = (side: 0 | 1) => {
    const counts = new Map<string, number>();
    for (const row of kept) counts.set(row.split(' ')[side], (counts.get(row.split(' ')[side]) ?? 0) + 1);
    return counts;
  };
  let kept = [...rows];
  for (;;) {
    const [userCounts, itemCounts] = [count(0), count(1)];
    const isIn = (n = 0, [least, most]: readonly [number, number]) => n >= least && n <= most;
    const next = kept.filter((row) => {
      const [user, item] = row.split(' ');
      return isIn(userCounts.get(user), users) && isIn(itemCounts.get(item), items);
    });
    if (next.length === kept.length) return kept;
    kept = next;
  }
}

filtering('repeats the core until it holds, users and items in the same round', async () => {
  const rng = new Mt19937(8);
  // Uneven, so that the core needs several rounds.
  const draw = (n: number) => Math.floor((rng.next() / 2 ** 32) ** 2 * n);
  const rows = Array.from({ length: 500 }, () => `u${draw(80)} i${draw(90)}`);
  const inter = ['user_id:token,item_id:token', ...rows].join('\n').replaceAll(' ', ',');
  const bounds: [string, [number, number]][] = [
    ['[4,inf)', [4, Infinity]],
    ['[0,inf)', [0, Infinity]],
    ['[3,20]', [3, 20]],
  ];
  for (const [user_inter_num_interval, users] of bounds) {
    for (const [item_inter_num_interval, items] of bounds) {
      const want = core(rows, users, items);
      const got = await left({ inter }, { user_inter_num_interval, item_inter_num_interval });
      assert.equal(got, want, `${user_inter_num_interval} ${item_inter_num_interval}`);
    }
  }
});

filtering('takes users and items that fall out of the core out of their tables', async () => {
  const files = {
    inter: 'user_id:token,item_id:token\nu1,i1\nu1,i2\nu2,i1\nu2,i2\nu3,i3',
    user: 'user_id:token,age:token\nu3,1\nu2,2\nu1,3',
    item: 'item_id:token,year:token\ni3,1\ni4,2\ni1,3\ni2,4',
  };
  const two = { user_inter_num_interval: '[2,inf)', item_inter_num_interval: '[2,inf)' };
  const dataset = await loadToy(files, two);
  assert.equal(dataset.vocabularies.get('user_id'), ['[PAD]', 'u1', 'u2']);
  assert.equal(dataset.vocabularies.get('item_id'), ['[PAD]', 'i1', 'i2']);
  assert.equal(tokensOf(dataset, dataset.items, 'year'), ['[PAD]', '3', '4']);
  assert.equal(cellsOf(dataset.users, 'age'), [0, 2, 1], 'numbered in the order of the file');
});

filtering('counts no side without an interval', async () => {
  const none = { user_inter_num_interval: null, item_inter_num_interval: null };
  assert.is((await left(sparse, none)).length, 4);
  const items = { ...none, item_inter_num_interval: '[3,inf)', filter_inter_by_user_or_item: false };
  assert.equal(await left(sparse, items), ['u1 i1', 'u2 i1', 'u3 i1']);
});

filtering('says that nothing is left', async () => {
  const message = await rejection(loadToy(sparse, { user_inter_num_interval: '[9,inf)' }));
  assert.match(message, /^DataError: data set toy: the filters leave no row of \.inter; check val_interval/);
});

filtering.run();
