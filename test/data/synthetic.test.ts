import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { valueMetrics } from '../../cli/metrics.js';
import { likes, synthesize, syntheticSpec, type SyntheticOptions } from '../../data/synthetic.js';

interface TextTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** All three files of a set, taken apart; a file that is not made is missing. */
function made(options: SyntheticOptions): ReadonlyMap<string, TextTable> {
  const texts = new Map<string, string>();
  for (const { source, text } of synthesize(syntheticSpec(options)))
    texts.set(source, (texts.get(source) ?? '') + text);
  return new Map(
    [...texts].map(([source, text]) => {
      assert.ok(text.endsWith('\n'));
      const [header, ...rows] = text
        .slice(0, -1)
        .split('\n')
        .map((line) => line.split('\t'));
      return [source, { header, rows }];
    }),
  );
}

function columnOf(table: TextTable | undefined, name: string): readonly string[] {
  const at = table?.header.findIndex((cell) => cell.split(':')[0] === name) ?? -1;
  assert.ok(table !== undefined && at >= 0, `no column ${name}`);
  return table.rows.map((row) => row[at]);
}

function countsOf(values: readonly string[]): readonly number[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}

const generation = suite('synthesize');

generation('makes the sample set: its columns and its size', () => {
  const files = made({});
  const headers = [...files].map(([source, { header }]) => [source, header.join(' ')]).sort();
  assert.equal(headers, [
    ['inter', 'user_id:token item_id:token rating:float timestamp:float daypart:token'],
    ['item', 'item_id:token release_year:token genre:token_seq popularity:float'],
    ['user', 'user_id:token age:token gender:token occupation:token activity:float'],
  ]);
  const inter = files.get('inter');
  assert.is(inter?.rows.length, 100_000);
  assert.is(new Set(columnOf(inter, 'user_id')).size, 1500);
  assert.is(new Set(columnOf(inter, 'item_id')).size, 1000);
  assert.equal([...new Set(columnOf(inter, 'daypart'))].sort(), ['afternoon', 'evening', 'morning', 'night']);
  for (const [source, { header, rows }] of files)
    assert.ok(
      rows.every((row) => row.length === header.length && !row.includes('')),
      source,
    );
});

generation('is the same for the same seed and another for another', () => {
  const small = { users: 50, items: 40, interactions: 600 };
  assert.equal(made(small), made(small));
  assert.not.equal(made(small).get('inter'), made({ ...small, seed: 7 }).get('inter'));
});

generation(
  'never repeats a pair and leaves no user or item out, also where nearly every pair is taken',
  () => {
    for (const [users, items, interactions] of [
      [50, 40, 600],
      [30, 20, 590],
      [10, 10, 100],
      [1, 1, 1],
      [3, 500, 501],
    ]) {
      const inter = made({ users, items, interactions }).get('inter');
      const [user, item] = [columnOf(inter, 'user_id'), columnOf(inter, 'item_id')];
      assert.is(new Set(user.map((one, i) => `${one} ${item[i]}`)).size, interactions);
      assert.is(new Set(user).size, users);
      assert.is(new Set(item).size, items);
    }
  },
);

generation('takes sets with fewer interactions than users or items', () => {
  const inter = made({ users: 30, items: 50, interactions: 7 }).get('inter');
  assert.is(inter?.rows.length, 7);
});

generation('spreads ratings as asked, and popularity and activity with a long tail', () => {
  const inter = made({}).get('inter');
  const ratings = columnOf(inter, 'rating');
  [0.06, 0.11, 0.27, 0.34, 0.22].forEach((share, i) => {
    const got = ratings.filter((rating) => rating === String(i + 1)).length / ratings.length;
    assert.ok(Math.abs(got - share) < 0.015, `rating ${i + 1}: ${got}`);
  });
  const items = countsOf(columnOf(inter, 'item_id'));
  const top = items.slice(0, 100).reduce((sum, count) => sum + count, 0);
  assert.ok(top > 0.25 * ratings.length, `the first tenth of the items has ${top} interactions`);
  const users = countsOf(columnOf(inter, 'user_id'));
  assert.ok(users[0] > 5 * users[750] && users[1499] >= 20, `${users[0]}, ${users[750]}, ${users[1499]}`);
});

generation('gives every user ascending times', () => {
  const inter = made({ users: 40, items: 60, interactions: 900 }).get('inter');
  const [user, time] = [columnOf(inter, 'user_id'), columnOf(inter, 'timestamp').map(Number)];
  for (let i = 1; i < user.length; i++) assert.ok(user[i] !== user[i - 1] || time[i] >= time[i - 1]);
});

/** AUC of labels when a row's score sums, over columns, the mean label of its value in the even rows; odd rows count. */
function additiveAuc(columns: readonly (readonly string[])[], labels: readonly number[]): number {
  const mean = labels.reduce((sum, label) => sum + label) / labels.length;
  const scores = new Float64Array(labels.length);
  for (const values of columns) {
    const sums = new Map<string, { sum: number; count: number }>();
    values.forEach((value, row) => {
      if (row % 2 === 1) return;
      const { sum, count } = sums.get(value) ?? { sum: 0, count: 0 };
      sums.set(value, { sum: sum + labels[row] - mean, count: count + 1 });
    });
    values.forEach((value, row) => {
      const { sum, count } = sums.get(value) ?? { sum: 0, count: 0 };
      scores[row] += sum / (count + 10);
    });
  }
  const odd = (_: unknown, row: number) => row % 2 === 1;
  return valueMetrics.AUC({ scores: scores.filter(odd), labels: Float32Array.from(labels).filter(odd) });
}

generation('plants a signal in ids and in every field, and leaves noise', () => {
  const files = made({});
  const inter = files.get('inter');
  const labels = columnOf(inter, 'rating').map((rating) => Number(Number(rating) >= 4));
  const [user, item] = [columnOf(inter, 'user_id'), columnOf(inter, 'item_id')];
  const auc = additiveAuc([user, item], labels);
  assert.ok(auc > 0.74 && auc < 0.8, `ids: ${auc}`);
  const joined = (source: string, name: string, ids: readonly string[]) => {
    const values = columnOf(files.get(source), name);
    return ids.map((id) => values[Number(id) - 1]);
  };
  const fields: Record<string, readonly string[]> = {
    daypart: columnOf(inter, 'daypart'),
    age: joined('user', 'age', user),
    occupation: joined('user', 'occupation', user),
    activity: joined('user', 'activity', user).map((value) => String(Math.round(Number(value) / 10))),
    release_year: joined('item', 'release_year', item),
    genre: joined('item', 'genre', item).map((genres) => genres.split(' ')[0]),
    popularity: joined('item', 'popularity', item).map((value) => String(Math.round(Number(value) / 10))),
  };
  for (const [name, values] of Object.entries(fields)) {
    const auc = additiveAuc([values], labels);
    assert.ok(auc > 0.51, `${name}: ${auc}`);
  }
});

generation('makes a million rows in a few seconds and hands them out in small pieces', () => {
  const started = performance.now();
  let largest = 0;
  for (const { text } of synthesize(syntheticSpec({ like: 'ml-1m' })))
    largest = Math.max(largest, text.length);
  const took = performance.now() - started;
  // Measured 0.6 s; the rest is room for a busy machine.
  assert.ok(took < 8000, `${took} ms`);
  assert.ok(largest < 1 << 18, `${largest} characters`);
});

generation.run();

const spec = suite('syntheticSpec');

spec('has the published sizes', () => {
  const sizes = likes.map((like) => {
    const { name, users, items, interactions } = syntheticSpec({ like });
    return [name, users, items, interactions];
  });
  assert.equal(sizes, [
    ['ml-100k', 943, 1682, 100_000],
    ['ml-1m', 6040, 3706, 1_000_209],
    ['yelp2018', 1_518_169, 188_593, 5_996_996],
    ['amazon-books', 8_026_324, 2_330_066, 22_507_155],
  ]);
});

spec('has the published columns', () => {
  const columns = Object.fromEntries(
    likes.map((like) => [
      like,
      [...made({ like, scale: 0.002 })].map(([_, { header }]) => header.join(' ')).sort(),
    ]),
  );
  const inter = 'user_id:token item_id:token rating:float timestamp:float';
  const movieUser = 'user_id:token age:token gender:token occupation:token zip_code:token';
  assert.equal(columns, {
    'ml-100k': ['item_id:token movie_title:token_seq release_year:token class:token_seq', movieUser, inter],
    'ml-1m': ['item_id:token movie_title:token_seq release_year:token genre:token_seq', movieUser, inter],
    yelp2018: [
      'item_id:token item_review_count:float categories:token_seq',
      inter,
      'user_id:token user_review_count:float',
    ].sort(),
    'amazon-books': [
      'item_id:token sales_type:token sales_rank:float categories:token_seq price:float brand:token',
      inter,
    ],
  });
});

spec('shrinks with the scale; a dense set keeps enough pairs, and what is given stays', () => {
  const { users, items, interactions } = syntheticSpec({ like: 'amazon-books', scale: 0.01 });
  assert.equal([users, items, interactions], [80_263, 23_301, 225_072]);
  const dense = syntheticSpec({ like: 'ml-1m', scale: 0.001 });
  assert.is(dense.interactions, 1000);
  assert.ok(dense.users * dense.items > 5 * dense.interactions, `${dense.users} × ${dense.items}`);
  assert.is(syntheticSpec({ like: 'ml-1m', scale: 0.1, users: 777 }).users, 777);
});

spec('refuses sizes that make no set', () => {
  assert.throws(
    () => syntheticSpec({ users: 3, items: 4, interactions: 13 }),
    /^synth: 13 interactions do not fit 3 users × 4 items, a pair occurs once; ask for 12 at most$/,
  );
  assert.throws(
    () => syntheticSpec({ users: 0 }),
    /^synth: users is 0, want a whole number from 1 .*--users$/,
  );
  assert.throws(() => syntheticSpec({ items: 1.5 }), /items is 1.5/);
  for (const scale of [0, -1, NaN])
    assert.throws(() => syntheticSpec({ scale }), /scale is .*want a number above 0/);
});

spec('refuses names that are no plain directory', () => {
  for (const name of ['', '.', '..', '../x', 'a/b', '.hidden', 'a b', 'a\\b'])
    assert.throws(() => syntheticSpec({ name }), /names no data set; give letters/);
  assert.is(syntheticSpec({ name: 'Übung_2.1+b' }).name, 'Übung_2.1+b');
});

spec.run();
