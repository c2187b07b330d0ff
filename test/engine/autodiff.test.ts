import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ShapeError,
  Store,
  Tape,
  add,
  backward,
  compile,
  concat,
  mul,
  ones,
  relu,
  reshape,
  scale,
  sigmoid,
  sub,
  sum,
  tanh,
  type Device,
  type Optimizer,
  type Tensor,
} from '../../engine/index.js';
import { recordUpdates } from '../../engine/updates.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkGradient } from '../support/gradcheck.js';

const device = await testDevice();

const fanOut = suite('backward sums what a tensor receives');

fanOut('from several ops, several times from one op, and at several depths', () =>
  checkGradient(device, {
    inputs: { x: { shape: [3, 5] }, w: { shape: [3, 5] } },
    build({ x, w }) {
      const h = sigmoid(mul(x, w)); // read four times, twice by one op
      return add(mul(h, h), sub(mul(tanh(h), x), scale(h, 3)));
    },
    reference: ({ x, w }) =>
      x.map((v, i) => {
        const h = 1 / (1 + Math.exp(-v * w[i]));
        return h * h + Math.tanh(h) * v - 3 * h;
      }),
  }),
);

fanOut('through chains of views, read as tensors of different shapes', () =>
  checkGradient(device, {
    inputs: { x: { shape: [2, 6] } },
    build({ x }) {
      const h = tanh(x);
      const columns = reshape(reshape(h, [3, 4]), [4, 3]);
      const twice = reshape(mul(columns, columns), [2, 6]);
      return concat([add(twice, h), reshape(columns, [2, 6])], 0);
    },
    reference({ x }) {
      const h = x.map(Math.tanh);
      return [...h.map((v) => v * v + v), ...h];
    },
  }),
);

fanOut('of a parameter that several ops read, once as a view', async () => {
  const tape = new Tape({ training: true });
  const store = new Store(device, 1);
  const w = tape.parameter('w', [2, 3], { init: () => Float32Array.of(1, 2, 3, 4, 5, 6) });
  const loss = add(sum(mul(w, w)), sum(reshape(w, [6])));
  const plan = await compile(device, store, { tape, loss, keep: [] });
  plan.run(1);
  const gradient = plan.gradients.get(w);
  assert.is(gradient?.kind, 'dense');
  if (gradient?.kind === 'dense') close(await plan.read(gradient.tensor), [3, 5, 7, 9, 11, 13], 1e-6);
  plan.destroy();
  store.destroy();
});

fanOut.run();

const pruned = suite('backward leaves out what nobody needs');

/** The ops of the dispatches of a backward pass. */
const opsOf = (output: Tensor) => backward(output).dispatches.map(({ entry }) => entry);

pruned('branches that the output does not depend on', () => {
  const tape = new Tape({ training: true });
  const [x, unused] = [tape.variable('x', [4]), tape.variable('unused', [4])];
  const h = sigmoid(x);
  sum(tanh(mul(h, unused)));
  const loss = sum(h);
  assert.equal(opsOf(loss), ['spread_lanes', 'sigmoid_backward']);
  assert.equal([...backward(loss).gradients.keys()], [x]);
});

pruned('gradients of inputs, and all of an op that only has such', () => {
  const tape = new Tape({ training: true });
  const [x, c] = [tape.variable('x', [4]), tape.input('c', [4])];
  const loss = sum(mul(x, tanh(c)));
  assert.equal(opsOf(loss), ['spread_lanes', 'mul_forward']);
  assert.equal(opsOf(sum(tanh(c))), []);
  assert.is(backward(sum(tanh(c))).gradients.size, 0);
});

pruned('what is recorded after the output', () => {
  const tape = new Tape({ training: true });
  const x = tape.variable('x', [4]);
  const loss = sum(relu(x));
  const before = opsOf(loss);
  sum(mul(x, loss));
  assert.equal(opsOf(loss), before);
});

pruned('kernels of ops whose gradient is dy itself', () => {
  const tape = new Tape({ training: true });
  const [a, b] = [tape.variable('a', [2, 2]), tape.variable('b', [2, 2])];
  const { dispatches, gradients } = backward(reshape(add(a, b), [4]), tape.input('seed', [4]));
  assert.is(dispatches.length, 0);
  assert.equal([...gradients.keys()], [a, b]);
});

pruned('updates of parameters that the loss does not depend on', () => {
  const tape = new Tape({ training: true });
  const used = tape.parameter('used', [3], { init: ones });
  tape.parameter('unused', [3], { init: ones });
  const touched: string[] = [];
  const optimizer: Optimizer = {
    name: 'none',
    schedule: () => [0, 0, 0, 0],
    dense: ({ p, g }) => touched.push(`${p.name} ${g.shape.join()}`),
    rows: () => assert.unreachable('there is no table'),
  };
  recordUpdates(tape, backward(sum(scale(used, 2))).gradients, optimizer, undefined);
  assert.equal(touched, ['used 3']);
});

pruned.run();

const seeded = suite('the seed of backward');

seeded('is 1 for a scalar and must have the shape of anything else', () => {
  const tape = new Tape({ training: true });
  const x = tape.variable('x', [2, 3]);
  const y = relu(x);
  const throws = (body: () => void, message: string) =>
    assert.throws(body, (error: Error) => error instanceof ShapeError && error.message === message);
  throws(() => backward(y), 'backward: the output is [2,3], but only a scalar [1] goes without a seed');
  throws(
    () => backward(y, tape.input('seed', [3, 2])),
    'backward: the output is [2,3], but the seed is [3,2]',
  );
  throws(() => backward(sum(y), tape.input('pair', [2])), 'backward: the output is [1], but the seed is [2]');
  assert.is(backward(sum(y)).gradients.size, 1);
});

seeded.run();

const independent = suite('two devices in one process');

/** loss = Σ w², one step; loss and gradient. */
async function squares(on: Device, values: readonly number[]) {
  const tape = new Tape({ training: true });
  const store = new Store(on, 1);
  const w = tape.parameter('w', [values.length], { init: () => Float32Array.from(values) });
  const plan = await compile(on, store, { tape, loss: sum(mul(w, w)), keep: [] });
  const finish = async () => {
    const gradient = plan.gradients.get(w);
    const dw = gradient?.kind === 'dense' ? [...(await plan.read(gradient.tensor))] : [];
    const [loss] = await plan.fetch('loss', 1);
    plan.destroy();
    store.destroy();
    return { loss, dw };
  };
  return { plan, finish };
}

independent('compute side by side, each with its own stores, without sharing anything', async () => {
  const other = await testDevice();
  const all = [
    await squares(device, [1, 2, 3]),
    await squares(other, [4, 5]),
    await squares(device, [6]),
    await squares(other, [1, 2, 3]),
  ];
  for (const { plan } of all) plan.run(1);
  const results = await Promise.all(all.map(({ finish }) => finish()));
  assert.equal(results, [
    { loss: 14, dw: [2, 4, 6] },
    { loss: 41, dw: [8, 10] },
    { loss: 36, dw: [12] },
    { loss: 14, dw: [2, 4, 6] },
  ]);
  other.destroy();
  const again = await squares(device, [3]);
  again.plan.run(1);
  assert.equal(await again.finish(), { loss: 9, dw: [6] }, 'the first device lives on');
});

independent.after(() => device.destroy());
independent.run();
