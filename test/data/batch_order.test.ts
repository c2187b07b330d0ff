import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BatchOrder } from '../../data/batch_order.js';
import { Mt19937 } from '../../data/mt19937.js';
import { randperm } from '../../data/split.js';
import { skipUnless } from '../support/skip.js';

const batches = suite('BatchOrder');
/** 0 .. rows - 1. */
const positions = (rows: number) => Uint32Array.from({ length: rows }, (_, i) => i);

const orderFile = `../shared/golden/traces/ml100k_seed2020_batch_order_3epochs.u32`;
skipUnless([orderFile], batches, "is the original's order of three epochs of ml-100k", () => {
  const bytes = readFileSync(orderFile);
  const want = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const rows = want.length / 3;
  const order = new BatchOrder(positions(rows), 2020);
  for (let epoch = 0; epoch < 3; epoch++) {
    assert.equal(order.next(), want.subarray(epoch * rows, (epoch + 1) * rows), `epoch ${epoch}`);
  }
});

batches('orders the rows it is given by two draws and two permutations an epoch', () => {
  const rng = new Mt19937(9);
  const train = Uint32Array.of(50, 40, 30, 20, 10);
  const order = new BatchOrder(train, 9);
  for (let epoch = 0; epoch < 3; epoch++) {
    rng.next();
    rng.next();
    assert.equal(
      [...order.next()],
      [...randperm(5, rng)].map((at) => train[at]),
    );
    randperm(5, rng);
  }
  assert.is(order.epoch, 3);
});

batches('goes on from an exported state with the next epoch, or the one in progress', () => {
  const order = new BatchOrder(positions(30), 4);
  order.next();
  const second = order.next();
  const [after, before] = [order.exportState(), order.exportEpochStart()];
  const third = order.next();
  const resumed = new BatchOrder(positions(30), 0);
  resumed.importState(after);
  assert.is(resumed.epoch, 2);
  assert.equal(resumed.next(), third);
  resumed.importState(before);
  assert.is(resumed.epoch, 1);
  assert.equal(resumed.next(), second);
  assert.equal(resumed.next(), third);
});

batches('takes one row or none', () => {
  assert.equal([...new BatchOrder(Uint32Array.of(7), 1).next()], [7]);
  assert.equal([...new BatchOrder(new Uint32Array(0), 1).next()], []);
});

batches('refuses a state that is none', () => {
  const order = new BatchOrder(positions(3), 1);
  const { generator } = order.exportState();
  assert.throws(() => order.importState({ epoch: -1, generator }), /epoch -1/);
  assert.throws(() => order.importState({ epoch: 0, generator: { ...generator, index: 900 } }), /index 900/);
});

batches.run();
