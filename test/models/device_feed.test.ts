import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findAdapter, openAdapter } from '../../engine/adapter.js';
import {
  Store,
  Tape,
  namesMuchOf,
  segmentsOf,
  size,
  type DeviceArray,
  type SegmentLayout,
} from '../../engine/index.js';
import { declareBatch } from '../../models/batch.js';
import { joinedIds } from '../../models/features.js';
import { DeviceFeed, Feed, feedsItself, packFeatures, segmentSpecs, type Chunk } from '../../models/index.js';
import { blockParts } from '../support/blocks.js';
import { tinyDataset } from '../support/tiny.js';

const device = await openAdapter(await findAdapter('cpu'), { threads: 2, checked: true });
const dataset = tinyDataset({ rows: 230, users: 6, items: 9 });
const features = packFeatures(dataset);
const sizes = { capacity: 20, users: features.users, items: features.items, labels: true, joined: true };

/** A store with the inputs of a training plan, and feeds of it by the host and by the device. */
async function openFeeds(capacity = 20) {
  const store = new Store(device, 1);
  const tape = new Tape({ training: true, scope: 'train', chunkSteps: 4 });
  const batch = declareBatch(tape, dataset.schema, { ...sizes, capacity, rows: capacity });
  const ids = [batch.tokens, ...batch.sequences, batch.floats?.rows];
  const inputs = [
    ...tape.forward.flatMap(({ buffers }) => Object.values(buffers)),
    ...ids.flatMap((one) => (one === undefined ? [] : [segmentsOf(tape, one)])),
  ].filter(({ kind }) => kind === 'input');
  for (const { name, shape, dtype } of inputs) store.ensure('input', name, shape, dtype);
  const spec = { capacity, chunkSteps: 4, segments: segmentSpecs(batch) };
  const feed = await DeviceFeed.open(store, 'train', features, spec);
  return { store, feed, host: new Feed(features, spec) };
}

const words = (data: DeviceArray) => new Uint32Array(data.buffer, data.byteOffset, data.length);

/** The ids `name` of a chunk, row by row as the host joins them. */
function joinedBy(name: string, { rows }: Chunk, count: number): number[] {
  const joined = joinedIds(features).find((one) => one.name === name);
  const ids = new Uint32Array((joined?.width ?? 0) * count);
  joined?.join(rows, count, ids);
  return Array.from(ids);
}

const feeds = suite('DeviceFeed');

feeds('lays out the rows, joined ids and groups that the host does, chunk after chunk', async () => {
  const { store, feed, host } = await openFeeds();
  const orders = [
    Uint32Array.from({ length: 80 }, (_, i) => (i * 7) % 230),
    Uint32Array.from({ length: 67 }, (_, i) => (i * i) % 230),
    Uint32Array.of(3, 229, 3),
  ];
  for (const order of orders) {
    const chunk = host.chunk(order, 20);
    assert.is(feed.lay(order, 20), chunk.steps);
    const rows = words(await store.read('train/rows'));
    assert.equal(Array.from(rows.subarray(0, chunk.rows.length)), Array.from(chunk.rows));
    assert.ok(
      rows.subarray(chunk.rows.length).every((word) => word === 0),
      'steps without rows are padding',
    );
    for (const { name, layout } of host.spec.segments) {
      const count = chunk.steps * 20;
      const ids = words(await store.read(`train/joined.${name}`));
      const wanted = joinedBy(name, chunk, count);
      assert.equal(Array.from(ids.subarray(0, wanted.length)), wanted, name);
      const blocks = words(await store.read(`train/segments.${name}`));
      for (let step = 0; step < chunk.steps; step++) {
        const of = (all: Uint32Array) => blockParts(all.subarray(step * layout.stride), layout);
        assert.equal(of(blocks), of(chunk.segments.get(name) as Uint32Array), `${name}, step ${step}`);
      }
    }
  }
  feed.destroy();
  store.destroy();
});

/** Rows of a block with their sources. */
function sourcesByRow(block: Uint32Array, layout: SegmentLayout): Map<number, number[]> {
  const [[count, , , , ...rows], , sources] = blockParts(block, layout);
  const entry = (i: number) => rows.slice(4 * i, 4 * i + 4);
  return new Map(
    Array.from({ length: count }, (_, i) => {
      const [row, begin, end] = entry(i);
      return [row, sources.slice(begin, end)];
    }),
  );
}

feeds('lists the rows of a table in their order where a step names few of them', async () => {
  const { store, feed, host } = await openFeeds(1);
  const order = Uint32Array.of(17, 4, 200, 9);
  feed.lay(order, 1);
  const chunk = host.chunk(order, 1);
  const { layout, rule } = host.spec.segments[0];
  assert.not(namesMuchOf(rule.rows, layout));
  const blocks = words(await store.read('train/segments.tokens'));
  for (let step = 0; step < chunk.steps; step++) {
    const [own, theirs] = [blocks, chunk.segments.get('tokens') as Uint32Array].map((all) =>
      sourcesByRow(all.subarray(step * layout.stride), layout),
    );
    assert.equal(
      [...own.keys()],
      [...theirs.keys()].sort((a, b) => a - b),
    );
    for (const [row, sources] of theirs) assert.equal(own.get(row), sources);
  }
  feed.destroy();
  store.destroy();
});

feeds('gives the step the ids that it would join itself', () => {
  for (const joined of [false, true]) {
    const tape = new Tape({ training: true, scope: 'train', chunkSteps: 4 });
    const { tokens } = declareBatch(tape, dataset.schema, { ...sizes, rows: 20, joined });
    const writers = tape.forward.filter(({ buffers }) =>
      Object.values(buffers).includes(tokens?.ids as never),
    );
    assert.is(writers.length, joined ? 1 : 3);
    assert.is(size(tokens?.ids.shape ?? [0]), 20 * dataset.schema.token.length);
  }
});

feeds('refuses ids outside their field and users that are not there, with the row', async () => {
  const { host, store: filled } = await openFeeds();
  filled.destroy();
  const { rows, layout } = features;
  const [tokens, user] = [5 * layout.width + layout.tokens, 7 * layout.width + layout.user];
  for (const [at, message] of [
    [tokens, /tokens: id 99 of row 5 is outside 0 … 5; the data set does not fit its schema/],
    [user, /user\.tokens by key: id 99 of row 7 is outside 0 … 5/],
  ] as const) {
    const bad = rows.slice();
    bad[at] = 99;
    const store = new Store(device, 1);
    const opened = DeviceFeed.open(store, 'train', { ...features, rows: bad }, host.spec);
    await opened.then(
      () => assert.unreachable('it was taken'),
      (error: Error) => assert.match(error.message, message),
    );
    store.destroy();
  }
});

feeds('refuses a chunk that does not fit, and interactions that would fill the memory', async () => {
  const { store, feed } = await openFeeds();
  assert.throws(() => feed.lay(new Uint32Array(81), 20), /5 steps of 20 rows do not fit 4 steps of 20/);
  assert.ok(feedsItself(store, features));
  const large = { byteLength: 2 ** 30 + 4 } as Uint32Array;
  assert.not(feedsItself(store, { ...features, rows: large }));
  feed.destroy();
  store.destroy();
});

feeds.after(() => device.destroy());
feeds.run();
