import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { feedThreads, openFeeder } from '../../cli/runner/feeder.js';
import { segmentHeaderWords, segmentLayout, type SegmentLayout } from '../../engine/index.js';
import { Feed, packFeatures, type Chunk, type Features } from '../../models/index.js';
import { loadToy } from '../support/data_set.js';

const batch = 4;

/** A feed of the two token fields of a small set. */
async function toyFeed(): Promise<{ feed: Feed; features: Features; rows: number }> {
  const lines = Array.from({ length: 40 }, (_, i) => `u${i % 7},i${(i * i) % 11},${i % 2}`);
  const dataset = await loadToy({ inter: `user_id:token,item_id:token,label:float\n${lines.join('\n')}` });
  const features = packFeatures(dataset);
  const width = dataset.schema.token.length;
  const rows = dataset.schema.token.reduce((sum, { cardinality }) => sum + cardinality, 0);
  const layout = segmentLayout(batch * width, rows);
  const segments = [{ name: 'tokens', layout, rule: { rows, per: 1, skipPadding: false } }];
  return {
    feed: new Feed(features, { capacity: batch, chunkSteps: 3, segments }),
    features,
    rows: lines.length,
  };
}

/** What a step reads of a block, which leaves alone what it does not use of its room. */
function groupsOf(block: Uint32Array, { maxRows, maxPieces }: SegmentLayout) {
  const [rows, pieces] = block;
  const piecesAt = segmentHeaderWords + 4 * maxRows;
  const sources = block[segmentHeaderWords + 4 * rows - 2];
  const part = (at: number, words: number) => Array.from(block.subarray(at, at + words));
  const lists = [part(piecesAt, 2 * pieces), part(piecesAt + 2 * maxPieces, sources)];
  return [part(segmentHeaderWords, 4 * rows), ...lists];
}

/** What the steps of a chunk read of it. */
const told = ({ steps, rows, segments }: Chunk, layout: SegmentLayout) => ({
  rows: Array.from(rows),
  groups: Array.from({ length: steps }, (_, step) =>
    [...segments.values()].map((blocks) => groupsOf(blocks.subarray(step * layout.stride), layout)),
  ),
});

const feeders = suite('openFeeder');

feeders('gives the same chunks from threads as from this one, in the order of the requests', async () => {
  const { feed, features, rows } = await toyFeed();
  const order = Uint32Array.from({ length: rows }, (_, i) => (i * 17) % rows);
  const requests = [0, 12, 24, 36, 5].map((from) => ({ rows: order.subarray(from, from + 11), batch }));
  const expected = requests.map((request) => feed.chunk(request.rows, request.batch));
  const inline = openFeeder(feed, features, 0);
  // One memory for all: each stands until the next.
  const [{ layout }] = feed.spec.segments;
  for (const [i, request] of requests.entries()) {
    assert.equal(told(await inline.chunk(request), layout), told(expected[i], layout));
  }
  for (const threads of [1, 2]) {
    const feeder = openFeeder(feed, features, threads);
    assert.is(feeder.depth, threads + 1);
    const got = await Promise.all(requests.map((request) => feeder.chunk(request)));
    feeder.destroy();
    const same = (chunks: readonly Chunk[]) => chunks.map((chunk) => told(chunk, layout));
    assert.equal(same(got), same(expected));
  }
});

feeders('goes on without a thread that fails, and throws what this one would', async () => {
  const { feed, features } = await toyFeed();
  const feeder = openFeeder(feed, features, 1);
  const good = { rows: Uint32Array.of(1, 2, 3), batch };
  const results = await Promise.allSettled([
    feeder.chunk({ rows: new Uint32Array(100), batch }),
    feeder.chunk(good),
  ]);
  assert.is(results[0].status, 'rejected');
  if (results[0].status === 'rejected')
    assert.match(String(results[0].reason), /^RangeError: feed: 25 steps of 4 rows/);
  const expected = feed.chunk(good.rows, batch);
  assert.equal(results[1].status === 'fulfilled' && results[1].value, expected);
  assert.equal(await feeder.chunk(good), expected);
  feeder.destroy();
});

feeders.run();

const count = suite('feedThreads');

count('takes threads only where a GPU leaves cores and epochs are long', () => {
  assert.equal(
    [feedThreads('gpu', 1e6, 16), feedThreads('gpu', 1e6, 3), feedThreads('gpu', 1e6, 2)],
    [2, 1, 0],
  );
  assert.equal([feedThreads('cpu', 1e6, 16), feedThreads('software', 1e6, 16)], [0, 0]);
  assert.is(feedThreads('gpu', 1000, 16), 0);
});

count.run();
