import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adam, sparseAdam, type AdamOptions } from '../../engine/index.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import {
  failing,
  floats,
  runHits,
  same,
  tableHits,
  tableSetting,
  testLr,
  training,
  values,
  type Hit,
} from './training.js';

const device = await testDevice();

/** torch.optim.SparseAdam in f64: elements of rows that are not hit rest. */
function sparseTwin(
  initial: Float32Array,
  width: number,
  all: readonly Hit[],
  options: AdamOptions,
): Float64Array {
  const { betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8 } = options;
  const p = Float64Array.from(initial);
  const m = new Float64Array(p.length);
  const v = new Float64Array(p.length);
  all.forEach(({ ids, gradient }, at) => {
    const rate = (testLr * Math.sqrt(1 - beta2 ** (at + 1))) / (1 - beta1 ** (at + 1));
    gradient.forEach((g, k) => {
      const i = ids[Math.floor(k / width)] * width + (k % width);
      m[i] += (1 - beta1) * (g - m[i]);
      v[i] += (1 - beta2) * (g ** 2 - v[i]);
      p[i] -= (rate * m[i]) / (Math.sqrt(v[i]) + eps);
    });
  });
  return p;
}

const sparseSuite = suite('sparse_adam');
sparseSuite.after(() => device.destroy());

for (const width of [1, 3, 8]) {
  for (const options of [{}, { betas: [0.5, 0.9], eps: 1e-3 }] satisfies AdamOptions[]) {
    sparseSuite(`on rows is SparseAdam in f64, width ${width}, ${JSON.stringify(options)}`, async () => {
      const some = tableHits(width, 500);
      const setting = tableSetting(sparseAdam(options), width, 'rows');
      const { p } = Object.fromEntries(await runHits(device, setting, some, [200]));
      close(floats(p), sparseTwin(setting.initial, width, some, options), 1e-5);
    });
  }
}

sparseSuite('leaves rows that the step does not name', async () => {
  const one = await training(device, tableSetting(sparseAdam(), 4, 'rows'));
  one.stepRows({ ids: Uint32Array.of(3, 5), gradient: values(8, 1) });
  const before = await one.read();
  one.stepRows({ ids: Uint32Array.of(5), gradient: values(4, 2) });
  one.plan.flush();
  const after = await one.read();
  assert.equal(after.subarray(12, 16), before.subarray(12, 16));
  assert.ok(after.subarray(20, 24).every((value, i) => value !== before[20 + i]));
  one.destroy();
});

sparseSuite('is Adam on what is no table', async () => {
  const slots = ['p', 'exp_avg.p', 'exp_avg_sq.p'];
  const results = [sparseAdam(), adam()].map(async (optimizer) => {
    const setting = { optimizer, initial: values(7, 1), shape: [7], lr: testLr, steps: 30 };
    const one = await training(device, setting);
    for (let step = 0; step < 30; step++) one.step(values(7, step + 10));
    const everything = await one.everything();
    one.destroy();
    return everything;
  });
  same(await results[0], await results[1], slots);
});

sparseSuite('rests while the run is halted', async () => {
  const one = await training(device, tableSetting(sparseAdam(), 3, 'rows'));
  tableHits(3, 20).forEach((hit) => one.stepRows(hit));
  one.store.write('state', Uint32Array.of(1), 2);
  const before = await one.everything();
  tableHits(3, 20, 9).forEach((hit) => one.stepRows(hit));
  const after = await one.everything();
  for (const [name, bits] of before) assert.ok(after.get(name)?.equals(bits), name);
  one.destroy();
});

sparseSuite('refuses weight decay and options outside their range', () => {
  failing(() => sparseAdam({ weightDecay: 0.1 }), /^sparse_adam: weight decay is 0.1, but would not reach/);
  failing(() => sparseAdam({ betas: [1, 0.9] }), /^sparse_adam: beta1 is 1/);
  failing(() => sparseAdam({ eps: 0 }), /^sparse_adam: eps is 0/);
});

sparseSuite.run();
