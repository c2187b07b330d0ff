import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adam } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { adamTwin } from './adam_twin.js';
import {
  floats,
  runHits,
  runTwin,
  same,
  tableHits,
  tableSetting,
  training,
  values,
  type Hit,
  type Setting,
} from './training.js';

const device = await testDevice();
const all = ['p', 'exp_avg.p', 'exp_avg_sq.p'];

const tables = suite("adam({ tables: 'fast' }) on large tables");
tables.after(() => device.destroy());

/** No step names so many rows that the table of 60 is a small one. */
const capacity = 14;
const few = (width: number, steps: number, seed?: number): Hit[] =>
  tableHits(width, steps, seed).map(({ ids, gradient }) => ({
    ids: ids.subarray(0, capacity),
    gradient: gradient.subarray(0, width * capacity),
  }));
const large = (width: number, lr?: Setting['lr']): Setting => ({
  ...tableSetting(adam({ tables: 'fast' }), width, 'rows', lr),
  capacity,
  live: true,
});

/** Root of the mean square of the differences from what f64 gives. */
function error(bits: Buffer | undefined, wanted: Float64Array): number {
  const got = floats(bits);
  assert.is(got.length, wanted.length);
  return Math.sqrt(got.reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0) / got.length);
}

for (const width of [8, 3, 1]) {
  tables(`is as near to Adam in f64 on a large table as the dense kernel, width ${width}`, async () => {
    const hits = few(width, 2000);
    const setting = large(width);
    const wanted = runTwin(adamTwin(setting.initial), width, hits);
    const dense = await runHits(device, tableSetting(adam(), width, 'scattered'), hits);
    for (const flushes of [[], [3, 200, 201, 1600]]) {
      const fast = await runHits(device, setting, hits, flushes);
      const [own, theirs] = [error(fast.get('p'), wanted), error(dense.get('p'), wanted)];
      assert.ok(own <= 1.1 * theirs, `${own} and ${theirs} of the dense kernel`);
    }
  });
}

tables('takes sums, not steps, where it can', async () => {
  const hits = few(8, 1500);
  const fast = await runHits(device, large(8), hits);
  const exact = await runHits(device, { ...large(8), optimizer: adam() }, hits);
  assert.ok(floats(fast.get('p')).some((value, i) => value !== floats(exact.get('p'))[i]));
});

tables('follows a learning rate that jumps', async () => {
  const hits = few(4, 1500, 4);
  const lr = (step: number) => (step % 300 < 20 ? 0 : 0.02 * (1 + Math.cos(step / 50)));
  const setting = large(4, lr);
  const wanted = runTwin(adamTwin(setting.initial, 0, lr), 4, hits);
  const dense = await runHits(device, tableSetting(adam(), 4, 'scattered', lr), hits);
  const fast = await runHits(device, setting, hits, [900]);
  assert.ok(error(fast.get('p'), wanted) <= 1.1 * error(dense.get('p'), wanted));
});

tables('makes the steps one by one, to the bit, where nobody has told their sums', async () => {
  const hits = few(4, 300, 5);
  // Sums are there for the last step of the schedule and the one behind it alone.
  const told = { ...large(4), live: false };
  same(
    await runHits(device, told, hits),
    await runHits(device, tableSetting(adam(), 4, 'scattered'), hits),
    all,
  );
});

tables('leaves rows alone that no step has named', async () => {
  const one = await training(device, large(4));
  for (const { ids, gradient } of few(4, 50, 6)) {
    const named = ids.filter((row) => row % 3 !== 2);
    one.stepRows({ ids: named, gradient: gradient.subarray(0, 4 * named.length) });
  }
  one.plan.flush();
  const last = await one.store.read('last_step.p');
  const p = (await one.read()).filter((_, i) => Math.floor(i / 4) % 3 === 2);
  assert.equal(
    Array.from(last).filter((step, row) => row % 3 === 2 && step !== 0),
    [],
  );
  assert.equal(
    p,
    values(240, 2).filter((_, i) => Math.floor(i / 4) % 3 === 2),
  );
  one.destroy();
});

tables('gives the same bits in chunks of any length', async () => {
  const ids = few(4, 640, 7).map((hit) => hit.ids);
  const gradient = values(4 * capacity, 8);
  const results: Map<string, Buffer>[] = [];
  for (const chunkSteps of [8, 5]) {
    const many = await training(device, { ...large(4), chunkSteps });
    for (let at = 0; at < ids.length; at += chunkSteps) {
      many.stepChunk(ids.slice(at, at + chunkSteps), gradient);
    }
    many.plan.flush();
    results.push(await many.everything());
    many.destroy();
  }
  same(results[0], results[1], all);
});

tables.run();
