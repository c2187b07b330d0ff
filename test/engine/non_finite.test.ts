import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Store, Tape, compile, mul, scale, sum } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { makeToy, spareRow, toy, wordsOf } from '../support/toy_step.js';

const device = await testDevice();
const words = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];

const halted = suite('a loss that is not finite');

/** A toy whose third step reads a row of 1e30, the square of which is no f32. */
async function poisonedToy() {
  const made = await makeToy(device, { poisoned: 2 });
  made.store.write('table', new Float32Array(toy.dim).fill(1e30), spareRow * toy.dim);
  return made;
}

halted('halts the run: parameters keep the values from before its step, later steps do nothing', async () => {
  const [halting, healthy] = [await poisonedToy(), await poisonedToy()];
  halting.plan.run(5);
  healthy.plan.run(2);
  assert.equal(await halting.plan.position(), { step: 2, cursor: 2, halted: true });
  assert.equal(await healthy.plan.position(), { step: 2, cursor: 2, halted: false });
  halting.plan.flush();
  const before = await wordsOf(healthy.store);
  // Rows that the bad step names are brought up to its beginning before it is known to be bad; a flush does it to all.
  healthy.plan.flush();
  const [a, b] = [await wordsOf(halting.store), await wordsOf(healthy.store)];
  assert.equal(a.w, b.w);
  assert.equal(a.b, b.b);
  for (const [name, value] of Object.entries(a)) {
    const same = value.every((word, i) => word === b[name][i] || word === before[name][i]);
    assert.ok(same, `${name} is as it was`);
  }
  const losses = await halting.plan.fetch('loss', 3);
  assert.equal(words(losses.slice(0, 2)), words(await healthy.plan.fetch('loss', 2)));
  assert.not.ok(Number.isFinite(losses[2]));
});

halted('names the first op whose output was not finite', async () => {
  const { plan, store } = await poisonedToy();
  plan.run(5);
  const before = await wordsOf(store);
  const found = await plan.firstNonFinite();
  assert.is(found?.op, 'fm_pooled');
  assert.is(found?.entry, 'fm_pooled_forward_vec4');
  assert.equal(found?.shape, [toy.batch, toy.dim]);
  assert.is(found?.index, 0);
  assert.not.ok(Number.isFinite(found?.value));
  assert.equal(await wordsOf(store), before, 'the search changes nothing');
  assert.equal(await plan.position(), { step: 2, cursor: 2, halted: true });
});

halted('names the parameter if that was not finite before', async () => {
  const { plan, store } = await makeToy(device);
  store.write('b', Float32Array.of(Infinity));
  plan.run(1);
  const found = await plan.firstNonFinite();
  assert.equal(found, { op: 'parameter', entry: 'none', tensor: 'b', shape: [1], index: 0, value: Infinity });
});

halted('finds nothing where all is finite, and trains nothing while it looks', async () => {
  const { plan, store } = await makeToy(device);
  plan.run(2);
  const before = await wordsOf(store);
  assert.is(await plan.firstNonFinite(), undefined);
  assert.equal(await plan.position(), { step: 2, cursor: 2, halted: false });
  const { table, w } = await wordsOf(store);
  assert.equal(w, before.w);
  assert.is(table.length, before.table.length);
});

halted('is not blamed on memory that is only partly written yet', async () => {
  const tape = new Tape({ training: true });
  const joined = tape.activation('joined', [16, 2]);
  const state = tape.stepState();
  const launch = tape.launcher('half', 'batch_join', tape.forward);
  const sizes = { batch: 16, capacity: 16, row_width: 2, joined_width: 2, columns: 1 };
  for (const column of [0, 1]) {
    const columns = { source_column: column, joined_column: column };
    const rows = tape.input('rows', [16, 2], 'u32');
    launch('batch_join_rows', { rows, joined, state }, { ...sizes, ...columns }, [16]);
  }
  const first = scale(joined, 1);
  const overflow = mul(first, tape.input('factor', [16, 2]));
  const store = new Store(device, 1);
  const plan = await compile(device, store, { tape, loss: sum(overflow) });
  store.write('rows', new Uint32Array(Float32Array.from({ length: 32 }, () => 1e30).buffer));
  store.write('factor', new Float32Array(32).fill(1e30));
  plan.run(2);
  assert.is((await plan.firstNonFinite())?.op, 'mul');
});

halted('is left behind by setPosition', async () => {
  const { plan } = await poisonedToy();
  plan.run(4);
  plan.setPosition({ step: 2, cursor: 3, seed: 5 });
  plan.run(2);
  assert.equal(await plan.position(), { step: 4, cursor: 5, halted: false });
  assert.ok(Number.isFinite((await plan.fetch('loss', 4))[3]));
});

halted.after(() => device.destroy());
halted.run();
