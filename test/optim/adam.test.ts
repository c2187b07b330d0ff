import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adam, scheduleCapacity, type AdamOptions } from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import {
  checkRows,
  checkSteps,
  failing,
  runHits,
  same,
  tableHits,
  tableSetting,
  testLr,
  training,
  values,
  type Twin,
} from './training.js';

const device = await testDevice();
const all = ['p', 'exp_avg.p', 'exp_avg_sq.p'];

/** Adam as the paper has it, in f64. */
function twin(initial: Float32Array, { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions) {
  const p = Float64Array.from(initial);
  const m = new Float64Array(p.length);
  const v = new Float64Array(p.length);
  const update = (i: number, gradient: number, t: number) => {
    const g = gradient + weightDecay * p[i];
    m[i] = betas[0] * m[i] + (1 - betas[0]) * g;
    v[i] = betas[1] * v[i] + (1 - betas[1]) * g ** 2;
    const mHat = m[i] / (1 - betas[0] ** t);
    const vHat = v[i] / (1 - betas[1] ** t);
    p[i] -= (testLr * mHat) / (Math.sqrt(vHat) + eps);
  };
  return { p, update } satisfies Twin;
}

const adamSuite = suite('adam');
adamSuite.after(() => device.destroy());

for (const options of [{}, { weightDecay: 0.1 }, { betas: [0.5, 0.9], eps: 1e-3 }] satisfies AdamOptions[]) {
  adamSuite(`makes three steps as computed in f64, ${JSON.stringify(options)}`, () =>
    checkSteps(device, adam(options), (initial) => twin(initial, options)),
  );
}

adamSuite('moves by the learning rate in the first step', async () => {
  const setting = { optimizer: adam(), initial: Float32Array.of(1, 1, 1), shape: [3], lr: 0.01, steps: 1 };
  const one = await training(device, setting);
  one.step(Float32Array.of(3, -1e-3, 0));
  close(await one.read(), [0.99, 1.01, 1], 1e-6);
  one.destroy();
});

for (const [width, weightDecay, steps] of [
  [8, 0, 2000],
  [8, 0.01, 1000],
  [3, 0, 1000],
  [3, 0.01, 500],
  [1, 0, 500],
]) {
  const name = `after ${steps} steps, width ${width}, weight decay ${weightDecay}`;
  const check = { width, steps, slots: ['exp_avg', 'exp_avg_sq'] };
  adamSuite(`on rows equals dense Adam to the bit ${name}`, () =>
    checkRows(device, adam({ weightDecay }), (initial) => twin(initial, { weightDecay }), check),
  );
}

adamSuite('on rows equals dense Adam to the bit while the learning rate jumps', async () => {
  const some = tableHits(4, 1000, 4);
  const lr = (step: number) => (step % 300 < 20 ? 0 : 0.02 * (1 + Math.cos(step / 50)));
  const sparse = await runHits(device, tableSetting(adam(), 4, 'rows', lr), some, [900]);
  same(sparse, await runHits(device, tableSetting(adam(), 4, 'scattered', lr), some), all);
});

// β₁ = 0: no momentum; β₁ ≥ √β₂: the movement never fades
for (const betas of [
  [0, 0.99],
  [0.97, 0.9],
] as const) {
  adamSuite(`on rows equals dense Adam to the bit with betas ${betas.join(', ')}`, async () => {
    const some = tableHits(4, 600, 5);
    const sparse = await runHits(device, tableSetting(adam({ betas }), 4, 'rows', 1e-3), some);
    same(sparse, await runHits(device, tableSetting(adam({ betas }), 4, 'scattered', 1e-3), some), all);
  });
}

adamSuite('finds its schedule where it wraps', async () => {
  const some = tableHits(4, 100, 6);
  const start = scheduleCapacity - 50;
  const run = async (gradients: 'rows' | 'scattered') => {
    const setting = { ...tableSetting(adam(), 4, gradients), steps: 0 };
    const one = await training(device, setting);
    one.plan.setPosition({ step: start, cursor: 0, seed: 1 });
    const entries = Array.from({ length: 100 }, (_, i) =>
      setting.optimizer.schedule(start + 1 + i, 0.01 + 1e-4 * i),
    );
    one.plan.setSchedule(start + 1, Float32Array.from(entries.flat()));
    if (one.store.has('last_step.p')) one.store.write('last_step.p', new Uint32Array(60).fill(start));
    for (const hit of some) one.stepRows(hit);
    one.plan.flush();
    const everything = await one.everything();
    assert.is((await one.plan.position()).step, start + 100);
    one.destroy();
    return everything;
  };
  same(await run('rows'), await run('scattered'), all);
});

adamSuite('makes several steps of a submit as one by one', async () => {
  const ids = tableHits(4, 40, 7).map((hit) => hit.ids);
  const gradient = values(240, 8);
  const many = await training(device, { ...tableSetting(adam(), 4, 'rows'), chunkSteps: 8 });
  for (let at = 0; at < ids.length; at += 8) many.stepChunk(ids.slice(at, at + 8), gradient);
  const single = await training(device, tableSetting(adam(), 4, 'rows'));
  for (const one of ids) single.stepRows({ ids: one, gradient });
  same(await many.everything(), await single.everything(), all);
  many.destroy();
  single.destroy();
});

adamSuite('leaves everything as it is while the run is halted', async () => {
  const [first, second] = [tableHits(4, 20, 8), tableHits(4, 20, 9)];
  for (const gradients of ['rows', 'scattered'] as const) {
    const one = await training(device, tableSetting(adam(), 4, gradients));
    first.forEach((hit) => one.stepRows(hit));
    one.store.write('state', Uint32Array.of(1), 2);
    const before = await one.everything();
    second.forEach((hit) => one.stepRows(hit));
    one.plan.flush();
    const after = await one.everything();
    for (const [name, bits] of before) assert.ok(after.get(name)?.equals(bits), name);
    one.destroy();
  }
});

adamSuite('resumes from a loss that was not finite as if it had not been', async () => {
  const some = tableHits(4, 200, 10);
  const plain = await runHits(device, tableSetting(adam(), 4, 'rows'), some);
  const one = await training(device, tableSetting(adam(), 4, 'rows'));
  for (const [i, hit] of some.entries()) {
    if (i === 150) {
      // These rows are caught up before the loss is known; they must not be caught up once more.
      one.store.write('loss', Float32Array.of(NaN));
      one.stepRows({
        ids: Uint32Array.from({ length: 60 }, (_, row) => row),
        gradient: values(240, 11),
      });
      assert.equal(await one.plan.position(), { step: 150, cursor: 0, halted: true });
      one.store.write('loss', Float32Array.of(0));
      one.plan.flush();
      one.plan.setPosition({ step: 150, cursor: 0, seed: 1 });
    }
    one.stepRows(hit);
  }
  one.plan.flush();
  same(await one.everything(), plain, all);
  one.destroy();
});

adamSuite('refuses options outside their range', () => {
  failing(() => adam({ betas: [1, 0.9] }), /^adam: beta1 is 1, but must be from 0 to below 1$/);
  failing(() => adam({ betas: [0.9, -1] }), /^adam: beta2 is -1/);
  failing(() => adam({ eps: 0 }), /^adam: eps is 0, but must be at least/);
  failing(() => adam({ weightDecay: NaN }), /^adam: weight decay is NaN, but must be at least 0$/);
});

adamSuite.run();
