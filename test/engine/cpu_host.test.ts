import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostKernels } from '../../engine/adapter.js';
import {
  HostPlanner,
  SegmentPlanner,
  segmentLayout,
  type HostKernels,
  type SegmentRule,
} from '../../engine/index.js';
import { blockParts } from '../support/blocks.js';
import { numbers } from '../support/numbers.js';

const host = hostKernels() as HostKernels;
const plain = (rows: number): SegmentRule => ({ rows, per: 1, skipPadding: false });

const random = (count: number, rows: number, seed: number) =>
  Uint32Array.from(numbers(seed)([count]), (x) => Math.floor(Math.abs(x) * 1e6) % rows);

/** Plans steps with both, and compares their blocks. */
function compare(rule: SegmentRule, steps: readonly Uint32Array[]): void {
  const layout = segmentLayout(Math.max(...steps.map(({ length }) => length)), rule.rows);
  const planner = new SegmentPlanner(rule);
  const kernels = new HostPlanner(host, rule, layout);
  const [want, got] = [new Uint32Array(layout.stride), new Uint32Array(layout.stride)];
  for (const ids of steps) {
    planner.plan(ids, layout, want);
    kernels.ids.set(ids);
    kernels.plan(ids.length, got);
    assert.equal(blockParts(got, layout), blockParts(want, layout));
  }
}

const planSuite = suite('HostPlanner');

planSuite('groups ids as SegmentPlanner does, step after step', () => {
  for (const [rows, per] of [
    [1, 1],
    [9, 3],
    [40, 7],
    [1000, 7],
  ]) {
    for (const skipPadding of [false, true]) {
      const steps = [700, 0, 693, 1, 699, 700].map((count, i) => random(count, rows, i + per));
      compare({ rows, per, skipPadding }, steps);
      compare({ rows, per, skipPadding, byAge: true }, steps);
    }
  }
});

planSuite('cuts long segments as SegmentPlanner does', () => {
  for (const length of [64, 65, 128, 129, 2500]) compare(plain(2), [new Uint32Array(length).fill(1)]);
});

planSuite('throws for an id outside the table and for too many rows, and stays usable', () => {
  const layout = segmentLayout(4, 2);
  const planner = new HostPlanner(host, plain(5), layout);
  const block = new Uint32Array(layout.stride);
  const failing = (ids: readonly number[], message: RegExp) => {
    planner.ids.set(ids.slice(0, 4));
    assert.throws(() => planner.plan(ids.length, block), message);
  };
  failing([1, 5, 0, 0], /^segments: id 5 at 1, but the table has 5 rows$/);
  failing([1, 0xffffffff, 0, 0], /^segments: id 4294967295 at 1, but the table has 5 rows$/);
  failing([1, 2, 3, 4], /^segments: 4 distinct rows in a step, but room for 2$/);
  failing([1, 2, 1, 2, 1], /^segments: 5 ids into \d+ words do not fit a layout of 4 ids/);
  planner.ids.set([4, 1, 4]);
  planner.plan(3, block);
  assert.equal(Array.from(block.subarray(0, 12)), [2, 0, 0, 0, 4, 0, 2, 0, 1, 2, 3, 0]);
});

planSuite.run();

const kernelSuite = suite('HostKernels');

kernelSuite('gives zeroed words that stay when it grows', () => {
  const kernels = hostKernels() as HostKernels;
  const first = kernels.words(5).fill(7);
  const large = kernels.words(1 << 20);
  assert.is(large.length, 1 << 20);
  assert.ok(large.every((word) => word === 0));
  assert.equal(Array.from(first), [7, 7, 7, 7, 7]);
});

kernelSuite('refuses buffers that an entry does not have', () => {
  const ids = host.words(4);
  assert.throws(() => host.command('segment_plan', 'segment_plan_rows', { ids }), /binds "count, ids, plan"/);
});

kernelSuite.run();
