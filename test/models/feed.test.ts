import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Store, Tape, compile, type Tensor } from '../../engine/index.js';
import type { Column, Dataset } from '../../data/schema.js';
import { declareBatch } from '../../models/batch.js';
import { joinedIds } from '../../models/features.js';
import { Feed, packFeatures, segmentSpecs, uploadChunk, uploadFeatures } from '../../models/index.js';
import { hostKernels } from '../../engine/adapter.js';
import { blockParts } from '../support/blocks.js';
import { testDevice } from '../support/device.js';
import { tinyDataset } from '../support/tiny.js';

const device = await testDevice();
const dataset = tinyDataset({ rows: 23, users: 6, items: 9 });
const features = packFeatures(dataset);
const sizes = { capacity: 5, users: features.users, items: features.items, labels: true };

function columnOf({ inter, users, items }: Dataset, name: string, source: string): Column {
  const table = source === 'inter' ? inter : source === 'user' ? users : items;
  return table?.columns.get(name) as Column;
}

/** The id by which row `row` finds its place in a column of `source`. */
function keyOf(row: number, source: string): number {
  if (source === 'inter') return row;
  return (columnOf(dataset, `${source}_id`, 'inter') as { ids: Uint32Array }).ids[row];
}

/** Joint token ids of a row, field by field, straight from the data set. */
const tokensOf = (row: number) =>
  dataset.schema.token.map(({ name, source, offset }) => {
    const column = columnOf(dataset, name, source) as { ids: Uint32Array };
    return column.ids[keyOf(row, source)] + offset;
  });

const sequenceOf = (row: number, k: number) => {
  const { name, source, maxLength } = dataset.schema.tokenSeq[k];
  const { ids } = columnOf(dataset, name, source) as { ids: Uint32Array };
  const key = keyOf(row, source);
  return Array.from(ids.slice(key * maxLength, (key + 1) * maxLength));
};

const floatsOf = (row: number) =>
  dataset.schema.float.map(({ name, source }) => {
    const { values } = columnOf(dataset, name, source) as { values: Float32Array };
    return values[keyOf(row, source)];
  });

const words = (values: Float32Array) =>
  Array.from(new Uint32Array(values.buffer, values.byteOffset, values.length));

const feedSuite = suite('Feed');

feedSuite('the device joins features of every type from every file, also in a short last batch', async () => {
  const order = Uint32Array.from([3, 3, 22, 0, 7, 11, 4, 19, 8, 1, 5, 16]);
  for (const rows of [5, 2]) {
    const store = new Store(device, 1);
    const tape = new Tape({ training: true, scope: 'train', chunkSteps: 3 });
    const batch = declareBatch(tape, dataset.schema, { ...sizes, rows });
    const { tokens, sequences, floats, labels } = batch;
    const all = [
      tokens?.ids,
      ...sequences.map(({ ids }) => ids),
      floats?.values,
      floats?.rows.ids,
      labels?.label,
      labels?.ratingClass,
    ];
    const kept = all.filter((t): t is Tensor => t !== undefined);
    const plan = await compile(device, store, { tape, keep: kept });
    uploadFeatures(store, features);
    uploadChunk(
      store,
      'train',
      new Feed(features, { capacity: 5, chunkSteps: 3, segments: [] }).chunk(order, 5),
    );
    plan.setPosition({ step: 0, cursor: rows === 5 ? 1 : 2, seed: 1 });
    plan.run(1);
    const own = rows === 5 ? order.slice(5, 10) : order.slice(10, 12);
    const read = async (t: Tensor | undefined) => plan.read(t as Tensor);
    assert.equal(words(await read(tokens?.ids)), [...own].flatMap(tokensOf));
    for (const [k, { ids }] of sequences.entries()) {
      assert.equal(
        words(await read(ids)),
        [...own].flatMap((row) => sequenceOf(row, k)),
      );
    }
    assert.equal(Array.from(await read(floats?.values)), [...own].flatMap(floatsOf));
    assert.equal(
      words(await read(floats?.rows.ids)),
      [...own].flatMap(() => [1, 3]),
    );
    const rating = (row: number) => dataset.rating?.[row] ?? NaN;
    assert.equal(
      words(await read(labels?.label)),
      Array.from(own, (row) => (rating(row) >= 4 ? 1 : 0)),
    );
    assert.equal(
      words(await read(labels?.ratingClass)),
      Array.from(own, (row) => rating(row) - 1),
    );
    plan.destroy();
    store.destroy();
  }
});

feedSuite('the host joins the same ids', () => {
  const width = features.layout.width;
  const all = joinedIds(features);
  assert.equal(
    all.map(({ name }) => name),
    ['tokens', 'sequence.0', 'sequence.1', 'sequence.2', 'floats'],
  );
  const rows = [0, 9, 22];
  const batch = new Uint32Array(
    rows.flatMap((row) => Array.from(features.rows.slice(row * width, (row + 1) * width))),
  );
  const expected = [tokensOf, ...[0, 1, 2].map((k) => (row: number) => sequenceOf(row, k)), () => [1, 3]];
  all.forEach(({ width: ids, join }, i) => {
    const joined = new Uint32Array(ids * rows.length);
    join(batch, rows.length, joined);
    assert.equal(
      Array.from(joined),
      rows.flatMap((row) => Array.from(expected[i](row))),
    );
  });
});

feedSuite('the device takes ids that are fed joined, by words or by vec4s', async () => {
  const order = Uint32Array.from({ length: 16 }, (_, i) => (i * 5) % 23);
  for (const capacity of [5, 8]) {
    const store = new Store(device, 1);
    const tape = new Tape({ training: true, scope: 'train', chunkSteps: 3 });
    const { tokens } = declareBatch(tape, dataset.schema, { ...sizes, capacity, rows: 5, joined: true });
    const kept = tokens?.ids as Tensor;
    const plan = await compile(device, store, { tape, keep: [kept] });
    const rows = Array.from(order.subarray(0, 2 * capacity), tokensOf);
    store.write('train/joined.tokens', Uint32Array.from(rows.flat()));
    plan.setPosition({ step: 0, cursor: 1, seed: 1 });
    plan.run(1);
    assert.equal(words(await plan.read(kept)), rows.slice(capacity, capacity + 5).flat());
    plan.destroy();
    store.destroy();
  }
});

feedSuite('groups the ids of every table for every step', () => {
  const tape = new Tape({ training: true, scope: 'train', chunkSteps: 3 });
  const segments = segmentSpecs(declareBatch(tape, dataset.schema, { ...sizes, rows: 5 }));
  const feed = new Feed(features, { capacity: 5, chunkSteps: 3, segments });
  const order = Uint32Array.from([1, 2, 3, 4, 5, 6, 7]);
  const chunk = feed.chunk(order, 5);
  assert.is(chunk.steps, 2);
  const { layout } = segments[0];
  const block = (chunk.segments.get('tokens') as Uint32Array).subarray(layout.stride);
  const distinct = new Set([6, 7].flatMap(tokensOf));
  assert.is(block[0], distinct.size);
  const rows = Array.from({ length: block[0] }, (_, i) => block[4 + 4 * i]);
  assert.equal(new Set(rows), distinct);
  assert.is(
    block[4 + 4 * (block[0] - 1) + 2],
    2 * dataset.schema.token.length,
    'all ids of two rows are grouped',
  );
});

feedSuite('lays out the same chunks with kernels', () => {
  const tape = new Tape({ training: true, scope: 'train', chunkSteps: 3 });
  const segments = segmentSpecs(declareBatch(tape, dataset.schema, { ...sizes, rows: 5 }));
  const spec = { capacity: 5, chunkSteps: 3, segments };
  const [plain, kernels] = [new Feed(features, spec), new Feed(features, spec, hostKernels())];
  const orders = [
    [1, 2, 3, 4, 5, 6, 7],
    [22, 0, 22, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8],
    [3, 2],
  ];
  for (const order of orders) {
    const [want, got] = [plain, kernels].map((feed) => feed.chunk(Uint32Array.from(order), 5));
    assert.is(got.steps, want.steps);
    assert.equal(got.rows, want.rows);
    for (const { name, layout, rule } of segments) {
      for (let step = 0; step < want.steps; step++) {
        const of = ({ segments: all }: typeof want) =>
          blockParts((all.get(name) as Uint32Array).subarray(step * layout.stride), layout);
        assert.equal(of(got), of(want), `${name} (${rule.rows} rows), step ${step}`);
      }
    }
  }
});

feedSuite('refuses a chunk that does not fit', () => {
  const feed = new Feed(features, { capacity: 5, chunkSteps: 1, segments: [] });
  assert.throws(() => feed.chunk(new Uint32Array(6), 5), /2 steps of 5 rows do not fit 1 steps of 5/);
});

feedSuite('counts classes from rating 1 on, and cuts fractions off', () => {
  const given = Float32Array.from({ length: dataset.inter.rows }, (_, i) => 1 + i / 4);
  const { rows, layout } = packFeatures({ ...dataset, rating: given });
  const classes = Array.from(given, (_, i) => rows[i * layout.width + layout.ratingClass]);
  assert.equal(
    classes,
    Array.from(given, (value) => Math.floor(value) - 1),
  );
});

feedSuite('lays out more rows than a block', () => {
  const many = tinyDataset({ rows: 9001, users: 6, items: 9 });
  const { rows, layout } = packFeatures(many);
  const users = (many.inter.columns.get('user_id') as { ids: Uint32Array }).ids;
  const [field] = many.schema.token.filter(({ name }) => name === 'daypart');
  const dayparts = (many.inter.columns.get('daypart') as { ids: Uint32Array }).ids;
  const inter = many.schema.token.filter(({ source }) => source === 'inter');
  for (const row of [0, 4095, 4096, 8191, 8192, 9000]) {
    const own = rows.subarray(row * layout.width, (row + 1) * layout.width);
    assert.is(own[layout.user], users[row]);
    assert.is(own[layout.tokens + inter.indexOf(field)], dayparts[row] + field.offset);
  }
});

feedSuite.after(() => device.destroy());
feedSuite.run();
