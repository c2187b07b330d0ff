import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cacheFile } from '../../data/cache.js';
import { loadDataset } from '../../data/dataset.js';
import { defaultDataOptions, type DataOptions } from '../../data/options.js';
import { toyOptions } from '../support/data_set.js';

const files = {
  inter:
    'user_id:token,item_id:token,rating:float,friend:token,vector:float_seq\nu,i,5,v,1 2\nv,j,1,u,\nv,ж,3,u,4',
  user: 'user_id:token,age:float,tags:token_seq\nu,20,a b\nv,40,',
};

interface Loaded {
  readonly dataset: Awaited<ReturnType<typeof loadDataset>>;
  readonly notes: string;
}

async function load(options: DataOptions): Promise<Loaded> {
  const notes: string[] = [];
  const dataset = await loadDataset(options, (note) => notes.push(note));
  return { dataset, notes: notes.join('\n') };
}

/** Options that keep the processed set beside its files. */
function saving(more: Partial<DataOptions> = {}): DataOptions {
  const options = toyOptions(files, {
    threshold: { rating: 3 },
    alias_of_user_id: ['friend'],
    numerical_features: ['age'],
    ...more,
  });
  const dataset_save_path = join(options.data_path, 'kept', 'toy.dataset');
  return { ...options, save_dataset: true, dataset_save_path };
}

const pathOf = ({ dataset_save_path }: DataOptions) => dataset_save_path ?? '';
const hit = /the processed data set of an earlier run/;

const caching = suite('cachedDataset');

caching('gives back exactly the data set that it kept', async () => {
  for (const more of [{}, { RATING_FIELD: 'stars', threshold: null }]) {
    const options = saving(more);
    const first = await load(options);
    assert.match(first.notes, /keeps the processed data set/);
    const second = await load(options);
    assert.match(second.notes, hit);
    assert.equal(second.dataset, first.dataset);
    assert.is(second.dataset.vocabularies.get('friend'), second.dataset.vocabularies.get('user_id'));
    const rating = second.dataset.inter.columns.get('rating');
    if (second.dataset.rating) assert.is(rating?.type === 'float' && rating.values, second.dataset.rating);
  }
});

caching('keeps the sizes of files that were split before', async () => {
  const head = 'user_id:token,item_id:token';
  const parts = { 'a.inter': `${head}\nu,i\nu,j`, 'b.inter': `${head}\nu,i`, 'c.inter': `${head}\nu,i` };
  const options = toyOptions(parts, { benchmark_filename: ['a', 'b', 'c'], save_dataset: true });
  const kept = { ...options, dataset_save_path: join(options.data_path, 'x') };
  await load(kept);
  assert.equal((await load(kept)).dataset.benchmark, [2, 1, 1]);
});

caching('ignores options that do not change the data set', async () => {
  const options = saving();
  await load(options);
  const eval_args = { ...options.eval_args, order: 'TO' } as const;
  assert.match((await load({ ...options, seed: 7, eval_args })).notes, hit);
});

caching('reads the files again when an option or a file has changed', async () => {
  const options = saving();
  await load(options);
  const other = await load({ ...options, threshold: { rating: 5 } });
  assert.match(other.notes, /made with other options or from other files.*\n.*keeps/);
  assert.equal([...(other.dataset.label ?? [])], [1, 0, 0]);

  const inter = join(options.data_path, 'toy', 'toy.inter');
  appendFileSync(inter, 'u\tk\t4\t\t\n');
  const appended = await load(options);
  assert.match(appended.notes, /from other files/);
  assert.is(appended.dataset.inter.rows, 4);

  utimesSync(inter, 1, 1);
  assert.match((await load(options)).notes, /from other files/);
  assert.match((await load(options)).notes, hit);
});

caching('reads the files again when the kept file is damaged, wherever', async () => {
  const options = saving();
  const first = await load(options);
  const path = pathOf(options);
  const whole = readFileSync(path);
  const step = Math.max(1, Math.floor(whole.length / 40));
  for (let at = 0; at < whole.length; at += step) {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 0x10;
    writeFileSync(path, bytes);
    const { dataset, notes } = await load({ ...options, save_dataset: false });
    assert.match(notes, /unusable, .*; reading the atomic files/, `byte ${at}`);
    assert.equal(dataset, first.dataset);
  }
});

caching('reads the files again when the kept file is cut off or something else', async () => {
  const options = saving();
  await load(options);
  const path = pathOf(options);
  const { length } = readFileSync(path);
  for (const size of [length - 1, Math.floor(length / 2), 20, 3, 0]) {
    truncateSync(path, size);
    assert.match((await load({ ...options, save_dataset: false })).notes, /unusable/, `${size} bytes`);
  }
  assert.match((await load(options)).notes, /unusable.*\n.*keeps/);
  assert.match((await load(options)).notes, hit);
});

caching('does without a file that cannot be read or written', async () => {
  const options = saving();
  mkdirSync(pathOf(options), { recursive: true });
  const { dataset, notes } = await load(options);
  assert.is(dataset.inter.rows, 3);
  assert.match(notes, /unusable.*\n.*cannot be written/);
});

caching('leaves nothing beside the kept file', async () => {
  const options = saving();
  await load(options);
  assert.equal(readdirSync(dirname(pathOf(options))), ['toy.dataset']);
});

caching('without save_dataset reads a file it is given, but writes none', async () => {
  const options = { ...saving(), save_dataset: false };
  await load(options);
  assert.not(existsSync(pathOf(options)));
});

caching.run();

const naming = suite('cacheFile');

naming('is the path it is given, else a name that follows from the options', () => {
  const options = { ...defaultDataOptions, dataset: 'toy' };
  assert.is(cacheFile({ ...options, dataset_save_path: 'x/y' }), 'x/y');
  assert.match(cacheFile(options), /^saved\/toy-[0-9a-f]{16}\.dataset$/);
  assert.is(cacheFile({ ...options, seed: 3 }), cacheFile(options));
  assert.is.not(cacheFile({ ...options, threshold: { rating: 3 } }), cacheFile(options));
});

naming.run();
