import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, KernelError, Store, Tape, compile, ones, scale, sum } from '../../engine/index.js';
import { countedDevice } from '../support/counted.js';
import { testDevice } from '../support/device.js';
import { makeToy, toy, traceToy, wordsOf } from '../support/toy_step.js';

const device = await testDevice();
const words = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];

/** The error of `made`; fails if there is none. */
async function rejection(made: Promise<unknown>): Promise<Error> {
  try {
    await made;
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('it did not fail') as never;
}

const compiled = suite('compile');

compiled(
  'finds a wrong entry, wrong buffers and wrong dims before anything runs, and frees its memory',
  async () => {
    const counted = await countedDevice();
    const attempt = async (entry: string, x: string, dim: string) => {
      const tape = new Tape({ training: true });
      const buffers = { [x]: tape.input('x', [8]), y: tape.activation('y', [8]) };
      tape.launcher('wrong', 'elementwise', tape.forward)(entry, buffers, { [dim]: 2 }, [2]);
      return rejection(compile(counted.device, new Store(counted.device, 1), { tape }));
    };
    const [entry, buffers, dims] = [
      await attempt('scale_sideways', 'x', 'quads'),
      await attempt('scale_forward', 'a', 'quads'),
      await attempt('scale_forward', 'x', 'quarts'),
    ];
    assert.match(entry.message, /^elementwise\.wgsl: has no entry "scale_sideways"; have "add_forward, /);
    assert.is(buffers.message, 'scale_forward: elementwise.wgsl binds "x, y", but run() gave "a, y"');
    assert.is(
      dims.message,
      'scale_forward: elementwise.wgsl has dims "factor, quads, slope", but run() gave "quarts"',
    );
    for (const error of [entry, buffers, dims]) assert.instance(error, KernelError);
    const left = [...counted.liveBuffers].map(({ label }) => label);
    assert.equal(
      left,
      ['x', 'state', 'x', 'state', 'x', 'state'].slice(0, left.length),
      'only the stores keep theirs',
    );
    counted.device.destroy();
  },
);

compiled('makes every parameter that was declared, used or not', async () => {
  const tape = new Tape({ training: true });
  for (const name of ['used', 'unused']) tape.parameter(name, [3], { init: ones });
  const loss = sum(tape.parameter('used', [3], { init: ones }));
  const store = new Store(device, 1);
  const plan = await compile(device, store, { tape, loss });
  assert.equal(
    store.list('parameter').map(({ name }) => name),
    ['used', 'unused'],
  );
  assert.equal([...(await store.read('unused'))], [1, 1, 1]);
  plan.destroy();
  store.destroy();
});

compiled('refuses a tensor that the adapter cannot bind, naming it and both sizes', async () => {
  const tape = new Tape({ training: true });
  const rows = device.limits.bindingBytes / 16 + 1;
  const x = tape.input('x', [rows, 4]);
  const loss = sum(scale(x, 2));
  const error = await rejection(compile(device, new Store(device, 1), { tape, loss }));
  assert.instance(error, DeviceError);
  const sizes = `scale: needs ${16 * rows} bytes, but ${device.name} binds at most ${device.limits.bindingBytes}`;
  assert.is(error.message, `${sizes}; use a smaller batch or table, or another adapter`);
});

compiled('refuses a second plan that wants another shape of the same name', async () => {
  const store = new Store(device, 1);
  const shaped = (length: number) => {
    const tape = new Tape({ training: true });
    return compile(device, store, { tape, loss: sum(tape.parameter('p', [length], { init: ones })) });
  };
  const plan = await shaped(3);
  assert.is((await rejection(shaped(4))).message, 'p: held as f32[3], but a plan wants f32[4]');
  plan.destroy();
  store.destroy();
});

compiled('shares memory between activations, without a trace in the results', async () => {
  const shared = await makeToy(device);
  const kept = await makeToy(device, { keep: ({ e, pooled, z, loss }) => [e, pooled, z, loss] });
  const { bytes, unsharedBytes } = shared.plan.memory;
  assert.ok(bytes < 0.9 * unsharedBytes, `${bytes} bytes of ${unsharedBytes}`);
  assert.ok(
    bytes < kept.plan.memory.bytes,
    `${bytes} bytes, ${kept.plan.memory.bytes} when activations are kept`,
  );
  for (const { plan } of [shared, kept]) plan.run(toy.chunkSteps);
  assert.equal(await wordsOf(shared.store), await wordsOf(kept.store));
  for (const { plan, store } of [shared, kept]) {
    plan.destroy();
    store.destroy();
  }
});

const run = suite('Plan.run');

run(
  'creates nothing but encoders, uploads nothing, and neither do flush, fetch and position on their own',
  async () => {
    const counted = await countedDevice();
    const { plan, store } = await makeToy(counted.device);
    const buffers = counted.liveBuffers.size;
    counted.reset();
    for (let time = 0; time < 20; time++) {
      plan.run(1);
      if (time % 5 === 0) plan.run(3);
      plan.flush();
    }
    assert.equal(counted.created(), ['createCommandEncoder']);
    assert.is(counted.calls('writeBuffer'), 0);
    assert.is(counted.calls('mapAsync') + counted.calls('onSubmittedWorkDone'), 0, 'nothing is waited for');
    for (let time = 0; time < 4; time++) {
      plan.rewind();
      plan.setSchedule(1 + time, Float32Array.of(0.01, 1, 0, 0));
      plan.run(toy.chunkSteps);
      const [losses] = await Promise.all([plan.fetch('loss', toy.chunkSteps), plan.fetch('z', 2)]);
      assert.ok(losses.every(Number.isFinite));
    }
    assert.equal(counted.created(), ['createCommandEncoder']);
    assert.is(counted.calls('writeBuffer'), 8, 'rewind and setSchedule write once each');
    assert.is(counted.liveBuffers.size, buffers);
    plan.destroy();
    store.destroy();
    assert.is(counted.liveBuffers.size, 0, [...counted.liveBuffers].map(({ label }) => label).join());
    counted.device.destroy();
  },
);

run('puts several steps into one pass of one submit and returns at once', async () => {
  const counted = await countedDevice();
  const { plan } = await makeToy(counted.device);
  counted.reset();
  assert.is(plan.run(1) as unknown, undefined, 'no promise');
  const perStep = counted.calls('dispatchWorkgroups');
  assert.is(perStep, plan.describe().split('\n').length);
  counted.reset();
  plan.run(7);
  for (const once of ['createCommandEncoder', 'beginComputePass', 'submit'])
    assert.is(counted.calls(once), 1, once);
  assert.is(counted.calls('dispatchWorkgroups'), 7 * perStep);
  counted.reset();
  plan.run(0);
  assert.is(counted.calls('submit'), 0, 'no step is no submit');
  counted.device.destroy();
});

run('gives the same bits for 5 steps at once and 5 times one', async () => {
  const [together, apart] = [await makeToy(device), await makeToy(device)];
  together.plan.run(5);
  for (let step = 0; step < 5; step++) apart.plan.run(1);
  const [a, b] = [await wordsOf(together.store), await wordsOf(apart.store)];
  assert.equal(a, b);
  assert.ok(Object.keys(a).length >= 3 * 3, 'three parameters with two moments each');
  assert.equal(await together.plan.position(), { step: 5, cursor: 5, halted: false });
  assert.equal(words(await together.plan.fetch('loss', 5)), words(await apart.plan.fetch('loss', 5)));
  assert.equal(words(await together.plan.fetch('z', 5)), words(await apart.plan.fetch('z', 5)));
});

run('trains: the loss of a repeated chunk falls', async () => {
  const { plan } = await makeToy(device);
  const means: number[] = [];
  for (let time = 0; time < 8; time++) {
    plan.rewind();
    plan.run(toy.chunkSteps);
    const losses = await plan.fetch('loss', toy.chunkSteps);
    means.push(losses.reduce((a, b) => a + b, 0) / losses.length);
  }
  assert.ok(means[7] < means[0] - 0.001, means.join());
});

run('lets plans of one store train and read the same weights', async () => {
  const { store, plan } = await makeToy(device);
  const tape = new Tape({ training: false, scope: 'eval' });
  const doubled = scale(tape.parameter('w', [1, toy.dim], { init: ones }), 2);
  const reading = await compile(device, store, { tape, keep: [doubled] });
  const weights = async () => [...((await store.read('w')) as Float32Array)].map((w) => Math.fround(2 * w));
  reading.run(1);
  const before = [...(await reading.read(doubled))];
  assert.equal(before, await weights());
  plan.run(3);
  reading.run(1);
  const after = [...(await reading.read(doubled))];
  assert.equal(after, await weights());
  assert.not.equal(after, before);
});

const fetch = suite('Plan.fetch');

fetch('keeps the order of chunks when several are on their way', async () => {
  const [ahead, waiting] = [await makeToy(device), await makeToy(device)];
  const chunks = [3, 1, 4];
  const promised = chunks.map((steps) => {
    ahead.plan.rewind();
    ahead.plan.run(steps);
    return ahead.plan.fetch('loss', steps);
  });
  const expected: number[][] = [];
  for (const steps of chunks) {
    waiting.plan.rewind();
    waiting.plan.run(steps);
    expected.push(words(await waiting.plan.fetch('loss', steps)));
  }
  assert.equal((await Promise.all(promised)).map(words), expected);
  assert.ok(new Set(expected.flat()).size === 8, 'eight different losses');
});

fetch('gives each step of a record its place', async () => {
  const [whole, single] = [await makeToy(device), await makeToy(device)];
  whole.plan.run(3);
  const together = await whole.plan.fetch('z', 3);
  assert.is(together.length, 3 * toy.batch);
  for (let step = 0; step < 3; step++) {
    single.plan.run(1);
    const own = (await single.plan.fetch('z', step + 1)).subarray(step * toy.batch);
    assert.equal(words(own), words(together.slice(step * toy.batch, (step + 1) * toy.batch)));
  }
});

fetch('says so when more chunks are on their way than it has room for, and goes on', async () => {
  const { plan } = await makeToy(device);
  plan.run(1);
  const reads = [1, 2, 3].map(() => plan.fetch('loss', 1));
  assert.is(
    (await rejection(plan.fetch('loss', 1))).message,
    'records.loss: more than 3 reads at once; await the first',
  );
  const [first] = await Promise.all(reads);
  assert.equal(words(await plan.fetch('loss', 1)), words(first));
});

fetch('names the records there are, and how many steps they hold', async () => {
  const { plan } = await makeToy(device);
  assert.is((await rejection(plan.fetch('losses', 1))).message, 'losses: no such record; have z, loss');
  assert.is(
    (await rejection(plan.fetch('loss', 9))).message,
    'loss: 9 steps were asked for, but a chunk has 8',
  );
});

const described = suite('Plan.describe');

described('has a line for every dispatch, with op, entry and shapes', () => {
  const { tape, loss } = traceToy();
  return compile(device, new Store(device, 1), { tape, loss }).then((plan) => {
    const lines = plan.describe().split('\n');
    const { batch, fields, dim, rows } = toy;
    const gather = `embedding_gather: embedding_gather_forward_vec4(table4=table[${rows},${dim}], `;
    const line = `${gather}ids=tokens[${batch},${fields}], y4=embedding_gather[${batch},${fields},${dim}])`;
    assert.ok(lines.includes(`${line} over ${batch * fields}`), lines.join('\n'));
    assert.is(lines.at(-1), 'step: step_advance(state=state[65544]) over 1');
  });
});

described.after(() => device.destroy());
for (const one of [compiled, run, fetch, described]) one.run();
