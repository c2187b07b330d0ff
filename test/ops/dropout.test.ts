import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ShapeError,
  Store,
  Tape,
  compile,
  dropout,
  dropoutMask,
  mul,
  relu,
  reluDropout,
  sigmoid,
  sigmoidDropout,
  sum,
} from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';

const device = await testDevice();
const dropoutSuite = suite('dropout');
dropoutSuite.after(() => device.destroy());

// runCase runs the step after step 0, with seed 1
for (const [shape, p] of [
  [[1], 0.5],
  [[3, 5], 0.2],
  [[2, 3, 4], 0.9],
  [[7, 131], 0.3],
] as const) {
  const one: OpCase = {
    inputs: { x: { shape } },
    build: ({ x }) => dropout(x, p, 3),
    reference({ x }) {
      const mask = dropoutMask({ seed: 1, step: 0, stream: 3 }, p, x.length);
      return x.map((value, i) => value * mask[i]);
    },
    tolerance: 1e-7,
  };
  dropoutSuite(`of [${shape}] with p ${p} keeps the shape and multiplies by the host's mask`, async () => {
    assert.equal((await runCase(device, one)).shape, shape);
    await checkForward(device, one);
  });
  dropoutSuite(`of [${shape}] with p ${p} has the gradient of the same mask`, () =>
    checkGradient(device, one),
  );
}

dropoutSuite(
  'each step and layer has a mask of its own, forward and backward, which the host knows',
  async () => {
    const [count, steps, p] = [150, 4, 0.4];
    const tape = new Tape({ training: true, chunkSteps: steps });
    const x = tape.variable('x', [count]);
    const [first, second] = [dropout(x, p), dropout(x, p)];
    const store = new Store(device, 1);
    const loss = sum(mul(first, second));
    const plan = await compile(device, store, { tape, loss, records: { first, second } });
    store.write('x', new Float32Array(count).fill(1));
    plan.setPosition({ step: 4_000_000_000, cursor: 0, seed: 2020 });
    plan.run(steps);
    const masks = (stream: number) =>
      Array.from({ length: steps }, (_, i) => [
        ...dropoutMask({ seed: 2020, step: 4_000_000_000 + i, stream }, p, count),
      ]);
    assert.equal([...(await plan.fetch('first', steps))], masks(0).flat());
    assert.equal([...(await plan.fetch('second', steps))], masks(1).flat());
    assert.is(new Set([...masks(0), ...masks(1)].map(String)).size, 2 * steps);
    const gradient = plan.gradients.get(x);
    assert.is(gradient?.kind, 'dense');
    if (gradient?.kind !== 'dense') return;
    const [a, b] = [masks(0)[steps - 1], masks(1)[steps - 1]];
    const found = await plan.read(gradient.tensor);
    close(
      found,
      a.map((mask, i) => 2 * mask * b[i]),
      1e-6,
      'gradient of the last step',
    );
    plan.destroy();
    store.destroy();
  },
);

dropoutSuite('drops a fraction p', () => {
  const mask = dropoutMask({ seed: 7, step: 3, stream: 0 }, 0.2, 100_000);
  const dropped = mask.filter((factor) => factor === 0).length;
  assert.ok(Math.abs(dropped / 100_000 - 0.2) < 0.005, `${dropped} of 100000`);
  assert.equal([...new Set(mask)].sort(), [0, 1.25]);
});

dropoutSuite('is x itself in evaluation and with p 0', () => {
  const tape = new Tape({ training: false });
  const x = tape.input('x', [3]);
  assert.is(dropout(x, 0.5), x);
  const training = new Tape({ training: true }).input('x', [3]);
  assert.is(dropout(training, 0), training);
});

const activated = [
  { name: 'relu_dropout', fused: reluDropout, f: relu, exact: () => true },
  // The gradient has the sigmoid from y, which is exact where the factor is a power of two.
  { name: 'sigmoid_dropout', fused: sigmoidDropout, f: sigmoid, exact: (p: number) => p === 0.5 },
];
const special = [0, -0, 100, -100, 1e-30, -1e-30, Infinity];

for (const { name, fused, f, exact } of activated) {
  for (const count of [1, 7, 40, 1031]) {
    for (const p of [0.2, 0.5]) {
      dropoutSuite(`${name} of ${count} numbers with p ${p} is dropout of the activation`, async () => {
        const shape = [count];
        const data = Array.from({ length: count }, (_, i) => special[i] ?? Math.sin(i) * 8);
        const inputs = { x: { shape, data } };
        const none = { reference: () => [] };
        const one = await runCase(device, { inputs, ...none, build: ({ x }) => fused(x, p, 3) });
        const two = await runCase(device, { inputs, ...none, build: ({ x }) => dropout(f(x), p, 3) });
        assert.equal(one.y, two.y);
        if (exact(p)) assert.equal(one.gradients.x.map(Math.abs), two.gradients.x.map(Math.abs));
        close(one.gradients.x, [...two.gradients.x], 1e-6, 'gradient');
      });
    }
  }

  dropoutSuite(`${name} hands on a NaN that is not dropped`, async () => {
    const inputs = { x: { shape: [64], data: new Array<number>(64).fill(NaN) } };
    const { y } = await runCase(device, { inputs, reference: () => [], build: ({ x }) => fused(x, 0.5, 3) });
    const mask = dropoutMask({ seed: 1, step: 0, stream: 3 }, 0.5, 64);
    assert.equal(
      [...y].map(Number.isNaN),
      [...mask].map((factor) => factor > 0),
    );
  });

  dropoutSuite(`${name} is the activation alone in evaluation and with p 0`, () => {
    for (const [training, p] of [
      [false, 0.5],
      [true, 0],
    ] as const) {
      const tape = new Tape({ training });
      fused(tape.input('x', [3]), p);
      assert.equal(
        tape.forward.map(({ op }) => op),
        [name.replace('_dropout', '')],
      );
      assert.is(tape.drawn, 1);
    }
  });
}

dropoutSuite('says which p it takes', () => {
  const x = new Tape({ training: true }).input('x', [3]);
  for (const p of [1, -0.1, Number.NaN]) {
    assert.throws(
      () => dropout(x, p),
      (error: Error) =>
        error instanceof ShapeError && error.message === `dropout: p is ${p}, but 0 ≤ p < 1 is needed`,
    );
    assert.throws(() => reluDropout(x, p), /^relu_dropout: p is/);
    assert.throws(() => sigmoidDropout(x, p), /^sigmoid_dropout: p is/);
  }
});

dropoutSuite.run();
