import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, Store, normal, ones, type EntryKind } from '../../engine/index.js';
import { testDevice } from '../support/device.js';

const device = await testDevice();
const stored = suite('Store');

async function rejection(made: () => unknown): Promise<string> {
  try {
    await made();
  } catch (error) {
    assert.instance(error, DeviceError);
    return (error as Error).message;
  }
  return assert.unreachable('it did not fail') as never;
}

stored('makes a buffer once, zeroed, and gives it again', async () => {
  const store = new Store(device, 1);
  const first = store.ensure('slot', 'm', [2, 3], 'f32');
  const again = store.ensure('slot', 'm', [2, 3], 'f32');
  assert.ok(first.fresh && !again.fresh);
  assert.is(first.entry, again.entry);
  assert.equal([...(await store.read('m'))], [0, 0, 0, 0, 0, 0]);
  store.destroy();
});

stored('draws initial values by seed and name, whatever the order', async () => {
  const draw = async (seed: number, names: readonly string[]) => {
    const store = new Store(device, seed);
    for (const name of names) store.initialize('parameter', name, [5], { init: normal(0, 1) });
    const values = await Promise.all(['a', 'b'].map(async (name) => [...(await store.read(name))]));
    store.destroy();
    return values;
  };
  const [a, b] = await draw(1, ['a', 'b']);
  assert.equal(await draw(1, ['b', 'a']), [a, b]);
  assert.not.equal(a, b);
  assert.not.equal((await draw(2, ['a', 'b']))[0], a);
});

stored('does not draw again for a second plan', async () => {
  const store = new Store(device, 1);
  store.initialize('parameter', 'p', [3], { init: ones });
  store.write('p', Float32Array.of(7), 1);
  store.initialize('parameter', 'p', [3], { init: ones });
  assert.equal([...(await store.read('p'))], [1, 7, 1]);
  store.destroy();
});

stored('reads words in their own type and length', async () => {
  const store = new Store(device, 1);
  store.ensure('input', 'ids', [3], 'u32');
  store.write('ids', Uint32Array.of(5, 6, 4294967295));
  const ids = await store.read('ids');
  assert.instance(ids, Uint32Array);
  assert.equal([...ids], [5, 6, 4294967295]);
  store.destroy();
});

stored('lists entries of a kind in the order of their making', () => {
  const store = new Store(device, 1);
  store.ensure('input', 'x', [1], 'f32');
  store.ensure('slot', 'm', [1], 'f32');
  store.ensure('parameter', 'p', [1], 'f32');
  store.ensure('slot', 'v', [1], 'f32');
  const names = (...kinds: EntryKind[]) => store.list(...kinds).map(({ name }) => name);
  assert.equal(names('slot'), ['m', 'v']);
  assert.equal(names('parameter', 'slot'), ['m', 'p', 'v']);
  assert.ok(store.has('x') && !store.has('y'));
  store.destroy();
  assert.not.ok(store.has('x'));
});

stored('says what does not fit', async () => {
  const store = new Store(device, 1);
  store.ensure('slot', 'm', [2, 3], 'f32');
  assert.is(
    await rejection(() => store.ensure('slot', 'm', [3, 2], 'f32')),
    'm: held as f32[2,3], but a plan wants f32[3,2]',
  );
  assert.is(
    await rejection(() => store.ensure('slot', 'm', [2, 3], 'u32')),
    'm: held as f32[2,3], but a plan wants u32[2,3]',
  );
  assert.is(
    await rejection(() => store.write('m', new Float32Array(4), 3)),
    'm: 4 words at 3 do not fit into [2,3]',
  );
  assert.is(await rejection(() => store.read('n')), 'n: no such buffer; have m');
  store.destroy();
});

stored.after(() => device.destroy());
stored.run();
