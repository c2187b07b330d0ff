import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDataset, splitDataset } from '../../data/dataset.js';
import { defaultDataOptions, type DataOptions } from '../../data/options.js';
import type { Column, Dataset, FieldSource, Table } from '../../data/schema.js';
import { cellsOf, loadToy, rejection } from '../support/data_set.js';
import { skipUnless } from '../support/skip.js';

type Cell = number | readonly number[];
type Columns = Readonly<Record<string, readonly Cell[]>>;

/** What the original's pipeline gave. Columns of float features hold [value, index]. */
interface Golden {
  readonly fields: Readonly<Record<string, { type: string; source: string; num: number; seqlen: number }>>;
  readonly n_inter: number;
  readonly user_num: number;
  readonly item_num: number;
  readonly id_token: Readonly<Record<string, readonly string[]>>;
  readonly inter_feat?: Columns;
  readonly user_feat?: Columns;
  readonly item_feat?: Columns;
  readonly inter_head?: Columns;
  readonly user_head?: Columns;
  readonly item_head?: Columns;
  readonly split_sizes: readonly number[];
  readonly perm_seed2020?: { readonly data: readonly number[] };
  readonly checksum?: Readonly<Record<string, number>>;
  readonly checksum_weighted?: Readonly<Record<string, number>>;
}

const readGolden = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Golden;

const plain = {
  inter: ['user_id', 'item_id', 'rating'],
  user: ['user_id', 'age', 'gender', 'occupation'],
  item: ['item_id', 'release_year', 'class'],
};
const withFloats = {
  ...plain,
  user: [...plain.user, 'activity'],
  item: [...plain.item, 'popularity'],
};
const features = ['activity', 'popularity'];

function mini(options: Partial<DataOptions>): Promise<Dataset> {
  return loadDataset({
    ...defaultDataOptions,
    data_path: 'test/fixtures',
    dataset: 'mini',
    load_col: plain,
    threshold: { rating: 4 },
    ...options,
  });
}

function tableOf(dataset: Dataset, source: FieldSource): Table | null {
  return source === 'inter' ? dataset.inter : source === 'user' ? dataset.users : dataset.items;
}

/** The cells of a column in the form of the golden files. */
function cellsLike(dataset: Dataset, source: FieldSource, field: string): readonly Cell[] {
  const table = tableOf(dataset, source);
  if (field === 'label') return [...(dataset.label ?? [])];
  const idField = source === 'user' ? dataset.schema.userField : dataset.schema.itemField;
  if (source !== 'inter' && field === idField) return Array.from({ length: table?.rows ?? 0 }, (_, id) => id);
  const column = table?.columns.get(field);
  const index = column?.type === 'float' ? column.index : undefined;
  const cells = cellsOf(table, field);
  return index === undefined ? cells : cells.map((cell, row) => [Number(cell), index[row]]);
}

function assertColumns(dataset: Dataset, source: FieldSource, golden: Columns = {}): void {
  for (const [field, want] of Object.entries(golden)) {
    const cells = cellsLike(dataset, source, field).slice(0, want.length);
    // Nine digits of a double say which float32 it becomes.
    const single = (cell: Cell) => (typeof cell === 'number' ? Math.fround(cell) : cell.map(Math.fround));
    assert.equal(cells, want.map(single), field);
  }
}

function assertGolden(dataset: Dataset, golden: Golden): void {
  const { inter, schema, vocabularies } = dataset;
  assert.is(inter.rows, golden.n_inter);
  assert.is(vocabularies.get('user_id')?.length, golden.user_num);
  assert.is(vocabularies.get('item_id')?.length, golden.item_num);
  const all = [...schema.token, ...schema.tokenSeq, ...schema.float];
  for (const { name, cardinality } of all) assert.is(cardinality, golden.fields[name]?.num, name);
  for (const { name, maxLength } of schema.tokenSeq) assert.is(maxLength, golden.fields[name]?.seqlen, name);
  const ofType = (type: string) =>
    Object.keys(golden.fields).filter((name) => golden.fields[name].type === type);
  assert.equal(
    schema.token.map(({ name }) => name),
    ofType('token'),
  );
  assert.equal(
    schema.tokenSeq.map(({ name }) => name),
    ofType('token_seq'),
  );
  for (const [field, tokens] of Object.entries(golden.id_token)) {
    assert.equal(vocabularies.get(field)?.slice(0, tokens.length), tokens, field);
  }
  assertColumns(dataset, 'inter', golden.inter_feat ?? golden.inter_head);
  assertColumns(dataset, 'user', golden.user_feat ?? golden.user_head);
  assertColumns(dataset, 'item', golden.item_feat ?? golden.item_head);
  const { train, valid, test } = splitDataset(dataset, { ...defaultDataOptions, seed: 2020 });
  assert.equal([train.length, valid.length, test.length], golden.split_sizes);
  if (golden.perm_seed2020) assert.equal([...train, ...valid, ...test], golden.perm_seed2020.data);
}

const loading = suite('loadDataset');

const tenCore = { user_inter_num_interval: '[10,inf)', item_inter_num_interval: '[10,inf)' };
const cases: Readonly<Record<string, Partial<DataOptions>>> = {
  dataset_mini: {},
  dataset_mini_core10: tenCore,
  dataset_mini_float: { load_col: withFloats, numerical_features: features, normalize_field: features },
  dataset_mini_disc: {
    load_col: withFloats,
    numerical_features: features,
    discretization: { activity: { method: 'ED', bucket: 6 }, popularity: { method: 'LD' } },
  },
};

for (const [name, options] of Object.entries(cases)) {
  loading(`gives what the original gives for ${name}`, async () => {
    assertGolden(await mini(options), readGolden(`test/fixtures/${name}.json`));
  });
}

const ml100k = (): Promise<Dataset> =>
  loadDataset({
    ...defaultDataOptions,
    ...tenCore,
    data_path: '../shared/data',
    dataset: 'ml-100k',
    load_col: plain,
    threshold: { rating: 4 },
  });

const ml100kFolder = '../shared/data/ml-100k';
const ml100kGolden = '../shared/golden/extra/dataset_ml100k.json';
skipUnless([ml100kFolder, ml100kGolden], loading, 'gives what the original gives for ml-100k', async () => {
  const dataset = await ml100k();
  const golden = readGolden(ml100kGolden);
  assertGolden(dataset, golden);
  for (const [field, want] of Object.entries(golden.checksum ?? {})) {
    const cells = cellsLike(dataset, 'inter', field).map(Number);
    assert.is(
      cells.reduce((sum, cell) => sum + cell, 0),
      want,
      field,
    );
    const weighted = cells.reduce((sum, cell, row) => sum + cell * (row % 1009), 0);
    const golden9 = golden.checksum_weighted?.[field] ?? NaN;
    assert.is(Number(weighted.toPrecision(9)), golden9, `${field}, weighted`);
  }
});

const traces = '../shared/golden/traces';
const idFiles = ['user_id.u16', 'item_id.u16', 'rating.u8'].map((name) => `${traces}/ml100k_${name}`);
skipUnless(
  [ml100kFolder, ...idFiles],
  loading,
  'numbers every interaction of ml-100k as the original',
  async () => {
    const { inter, rating } = await ml100k();
    const [users, items, ratings] = idFiles.map((file) => readFileSync(file));
    const u16 = (bytes: Buffer) => [...new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)];
    assert.equal(cellsOf(inter, 'user_id'), u16(users));
    assert.equal(cellsOf(inter, 'item_id'), u16(items));
    assert.equal([...(rating ?? [])], [...ratings]);
  },
);

const featureFile = `${traces}/ml100k_features.json`;
skipUnless(
  [ml100kFolder, featureFile],
  loading,
  'numbers every feature of ml-100k as the original',
  async () => {
    const dataset = await ml100k();
    const golden = JSON.parse(readFileSync(featureFile, 'utf8')) as {
      user_feat: Columns;
      item_feat: Columns;
    };
    assertColumns(dataset, 'user', golden.user_feat);
    assertColumns(dataset, 'item', golden.item_feat);
  },
);

loading('gives token fields consecutive rows of one table, and sources', async () => {
  const { schema } = await mini({});
  let offset = 0;
  for (const field of schema.token) {
    assert.is(field.offset, offset, field.name);
    offset += field.cardinality;
  }
  assert.equal(
    schema.token.map(({ source }) => source),
    ['inter', 'inter', 'user', 'user', 'user', 'item'],
  );
});

loading('loads everything by default, and no rating among the inputs', async () => {
  const { schema, rating, inter } = await mini({ load_col: null });
  const inputs = [...schema.token, ...schema.tokenSeq, ...schema.float].map(({ name }) => name);
  assert.equal(inputs, ['user_id', 'item_id', 'age', 'gender', 'occupation', 'release_year', 'class']);
  const column: Column | undefined = inter.columns.get('rating');
  assert.is(column?.type === 'float' && column.values, rating, 'one array');
});

const tiny = {
  inter: `
    user_id:token,item_id:token,rating:float,price:float,click:float
    u1,i1,5,10,1
    u1,i2,,30,0
    u2,i1,1,20,1
  `,
};

loading('fills a missing rating with the mean before it makes labels of it', async () => {
  const { rating, label } = await loadToy(tiny, { threshold: { rating: 3 } });
  assert.equal([...(rating ?? [])], [5, 3, 1]);
  assert.equal([...(label ?? [])], [1, 1, 0]);
});

loading('takes labels from a column where there is no threshold', async () => {
  const { label, rating } = await loadToy(tiny, { LABEL_FIELD: 'click', RATING_FIELD: 'stars' });
  assert.equal([...(label ?? [])], [1, 0, 1]);
  assert.is(rating, null);
});

loading('has no label without a threshold and a column', async () => {
  assert.is((await loadToy(tiny)).label, null);
});

loading('lets the threshold replace a label column', async () => {
  const { label, inter } = await loadToy(tiny, { LABEL_FIELD: 'click', threshold: { price: 20 } });
  assert.equal([...(label ?? [])], [0, 1, 1]);
  assert.equal(cellsOf(inter, 'click'), [0, 1, 1]);
});

loading('refuses labels other than 0 and 1', async () => {
  assert.match(
    await rejection(loadToy(tiny, { LABEL_FIELD: 'price' })),
    /price: is 10 in some row.*set threshold/,
  );
});

loading('normalizes everything but the rating, which stays raw', async () => {
  const { inter, rating } = await loadToy(tiny, { normalize_all: true });
  assert.equal(cellsOf(inter, 'price'), [0, 1, 0.5]);
  assert.equal([...(rating ?? [])], [5, 3, 1]);
  assert.equal(cellsOf(inter, 'rating'), [5, 3, 1]);
});

loading('makes labels before it normalizes what they are made of', async () => {
  const options = { threshold: { price: 20 }, normalize_field: ['price'] };
  assert.equal([...((await loadToy(tiny, options)).label ?? [])], [0, 1, 1]);
});

loading('reads files that were split before, and filters nothing', async () => {
  const head = 'user_id:token,item_id:token,rating:float';
  const files = {
    'train.inter': `${head}\nu1,i1,5\nu2,i2,4`,
    'valid.inter': `${head}\nu3,i1,1`,
    'test.inter': `item_id:token,rating:float,user_id:token\ni3,2,u1\n,3,u1`,
    user: 'user_id:token,age:token\nu1,20\nu1,30\nu9,40',
  };
  const options = { benchmark_filename: ['train', 'valid', 'test'], user_inter_num_interval: '[5,inf)' };
  const dataset = await loadToy(files, options);
  assert.equal(cellsOf(dataset.inter, 'user_id'), [1, 2, 3, 1, 1]);
  assert.equal(cellsOf(dataset.inter, 'item_id'), [1, 2, 1, 3, 0]);
  assert.equal([...(dataset.rating ?? [])], [5, 4, 1, 2, 3]);
  assert.equal(cellsOf(dataset.users, 'age'), [0, 1, 0, 0, 2]);
  const { train, valid, test } = splitDataset(dataset, defaultDataOptions);
  assert.equal([[...train], [...valid], [...test]], [[0, 1], [2], [3, 4]]);
});

loading('says where it looked for a data set, and how to get one', async () => {
  const message = await rejection(loadDataset({ ...defaultDataOptions, dataset: 'nowhere' }));
  assert.match(
    message,
    /^DataError: data set nowhere: no nowhere\.inter in dataset\/nowhere; .*data\.js synth/,
  );
});

loading.run();
