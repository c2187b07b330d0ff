import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SegmentPlanner,
  pieceLength,
  segmentHeaderWords,
  segmentLayout,
  sourceBits,
  type SegmentLayout,
  type SegmentRule,
} from '../../engine/index.js';
import { numbers } from '../support/numbers.js';

interface Group {
  readonly row: number;
  readonly sources: readonly number[];
  /** Lengths of its pieces; none for a short one. */
  readonly pieces: readonly number[];
}

const plain = (rows: number): SegmentRule => ({ rows, per: 1, skipPadding: false });

/** What a block says, read as segments.ts describes it. */
function decode(block: Uint32Array, layout: SegmentLayout): Group[] {
  const piecesAt = segmentHeaderWords + 4 * layout.maxRows;
  const sourcesAt = piecesAt + 2 * layout.maxPieces;
  let nextPiece = 0;
  let next = 0;
  const groups = Array.from({ length: block[0] }, (_, i): Group => {
    const [row, begin, end, firstPiece] = block.slice(
      segmentHeaderWords + 4 * i,
      segmentHeaderWords + 4 * i + 4,
    );
    assert.is(begin, next, `row ${row} begins where the one before ends`);
    assert.is(firstPiece, nextPiece, `first piece of row ${row}`);
    const pieces = end - begin > pieceLength ? Math.ceil((end - begin) / pieceLength) : 0;
    const lengths = Array.from({ length: pieces }, (_, j) => {
      const [from, to] = block.slice(piecesAt + 2 * (firstPiece + j), piecesAt + 2 * (firstPiece + j) + 2);
      assert.is(from, begin + j * pieceLength);
      return to - from;
    });
    next = end;
    nextPiece += pieces;
    return { row, sources: [...block.slice(sourcesAt + begin, sourcesAt + end)], pieces: lengths };
  });
  assert.is(block[1], nextPiece);
  assert.ok(nextPiece <= layout.maxPieces, `${nextPiece} pieces, room for ${layout.maxPieces}`);
  return groups;
}

/** The obvious way to group: rows as they are first met, their sources in order. */
function twin(ids: Uint32Array, { per, skipPadding }: SegmentRule): Group[] {
  const sources = new Map<number, number[]>();
  ids.forEach((row, p) => {
    if (row === 0 && skipPadding) return;
    const source = (Math.floor(p / per) << sourceBits(per)) + (p % per);
    sources.set(row, [...(sources.get(row) ?? []), source]);
  });
  return [...sources].map(([row, all]) => {
    const pieces: number[] = [];
    for (let left = all.length; all.length > pieceLength && left > 0; left -= pieceLength) {
      pieces.push(Math.min(left, pieceLength));
    }
    return { row, sources: all, pieces };
  });
}

function check(
  ids: Uint32Array,
  rule: SegmentRule,
  planner = new SegmentPlanner(rule),
  capacity = ids.length,
): void {
  const layout = segmentLayout(capacity, rule.rows);
  // What an earlier chunk left behind must not matter.
  const block = new Uint32Array(layout.stride).fill(0xdeadbeef);
  planner.plan(ids, layout, block);
  assert.equal(decode(block, layout), twin(ids, rule));
}

const random = (count: number, rows: number, seed: number) =>
  Uint32Array.from(numbers(seed)([count]), (x) => Math.floor(Math.abs(x) * 1e6) % rows);

const planSuite = suite('SegmentPlanner');

planSuite('groups duplicates in the order in which rows are first met', () => {
  check(Uint32Array.of(3, 1, 3, 0, 1, 3), plain(4));
});

planSuite('agrees with the twin on random ids', () => {
  for (const [count, rows] of [
    [1, 1],
    [7, 3],
    [100, 1000],
    [999, 40],
    [1500, 9],
  ]) {
    check(random(count, rows, count), plain(rows));
  }
});

planSuite('leaves padding out', () => {
  const rule = { rows: 5, per: 1, skipPadding: true };
  check(Uint32Array.of(0, 2, 0, 0, 4, 2), rule);
  check(random(700, 5, 1), rule);
});

planSuite('says of which example an id is, and which of its ids', () => {
  check(random(90, 20, 2), { rows: 20, per: 3, skipPadding: false });
  check(random(900, 6, 3), { rows: 6, per: 9, skipPadding: true });
});

planSuite('cuts segments of more than pieceLength sources', () => {
  for (const length of [pieceLength, pieceLength + 1, 2 * pieceLength, 2 * pieceLength + 1, 2500]) {
    check(new Uint32Array(length), plain(1));
    check(
      Uint32Array.from({ length }, (_, p) => p % 2),
      plain(2),
    );
  }
});

planSuite('makes an empty block of padding alone, or of no ids', () => {
  check(new Uint32Array(10), { rows: 3, per: 5, skipPadding: true });
  check(new Uint32Array(0), plain(3), undefined, 8);
});

planSuite('takes fewer ids than the layout holds', () => {
  check(random(50, 30, 4), plain(30), undefined, 80);
});

planSuite('forgets a step before the next', () => {
  for (const skipPadding of [false, true]) {
    const rule = { rows: 50, per: 1, skipPadding };
    const planner = new SegmentPlanner(rule);
    for (let step = 0; step < 20; step++) check(random(200, 50, step), rule, planner);
  }
});

planSuite('lists rows that missed as many steps side by side where it is told to', () => {
  const rule = { ...plain(9), byAge: true };
  const planner = new SegmentPlanner(rule);
  const layout = segmentLayout(6, 9);
  const rowsOf = (...ids: number[]) => {
    const block = new Uint32Array(layout.stride);
    planner.plan(Uint32Array.from(ids), layout, block);
    const groups = decode(block, layout);
    const byRow = (all: readonly Group[]) => [...all].sort((a, b) => a.row - b.row);
    assert.equal(
      byRow(groups),
      byRow(twin(Uint32Array.from(ids), rule)),
      'the groups are those of any order',
    );
    return groups.map(({ row }) => row);
  };
  assert.equal(rowsOf(5, 3, 8, 3), [5, 8, 3], 'those with one source before one with two');
  assert.equal(rowsOf(1, 3, 2, 5), [3, 5, 1, 2], 'those of the last step before new ones');
  assert.equal(rowsOf(8, 3, 1, 7, 8), [3, 1, 8, 7]);
});

planSuite('reads and writes within views of larger buffers', () => {
  const layout = segmentLayout(4, 9);
  const blocks = new Uint32Array(2 * layout.stride);
  const ids = Uint32Array.of(8, 8, 7, 7, 7, 6, 5, 5).subarray(4);
  new SegmentPlanner(plain(9)).plan(ids, layout, blocks.subarray(layout.stride));
  assert.ok(blocks.subarray(0, layout.stride).every((word) => word === 0));
  assert.equal(decode(blocks.slice(layout.stride), layout), twin(ids, plain(9)));
});

planSuite('throws for an id outside the table, for too many rows and too many ids, and stays usable', () => {
  const planner = new SegmentPlanner(plain(5));
  const tight = segmentLayout(4, 2);
  const block = new Uint32Array(tight.stride);
  const failing = (ids: readonly number[], layout: SegmentLayout, message: RegExp) =>
    assert.throws(
      () => planner.plan(Uint32Array.from(ids), layout, block),
      (error: unknown) => error instanceof RangeError && message.test(error.message),
    );
  failing([1, 5, 0, 0], tight, /^segments: id 5 at 1, but the table has 5 rows$/);
  failing([1, 0xffffffff, 0, 0], tight, /^segments: id 4294967295 at 1, but the table has 5 rows$/);
  failing([1, 2, 3, 4], tight, /^segments: 4 distinct rows in a step, but room for 2$/);
  failing(
    [1, 2, 1, 2, 1],
    tight,
    /^segments: 5 ids into \d+ words do not fit a layout of 4 ids in \d+ words$/,
  );
  failing([1, 2], segmentLayout(100, 5), /^segments: 2 ids into \d+ words do not fit/);
  check(Uint32Array.of(4, 1, 4), plain(5), planner);
});

planSuite.run();
