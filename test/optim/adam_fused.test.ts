import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adam, type Optimizer } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { same, tableSetting, training, values } from './training.js';

const device = await testDevice();

const fusedSuite = suite('adam_fused');
fusedSuite.after(() => device.destroy());

fusedSuite('equals the sum of the gradients and the update of the rows, to the bit', async () => {
  // Row 2 has hundreds of sources a step, so that they are summed in pieces; others one, a few, none.
  const ids = Array.from({ length: 30 }, (_, step) =>
    Uint32Array.from({ length: 500 - step }, (_, i) => (i % 2 ? 2 : (i * i + step) % (7 + step))),
  );
  const { fusedRows, ...composed } = adam({ weightDecay: 0.01 });
  const run = async (optimizer: Optimizer, width: number) => {
    const setting = { ...tableSetting(optimizer, width, 'rows'), capacity: 500 };
    const one = await training(device, setting);
    ids.forEach((some, step) => one.stepRows({ ids: some, gradient: values(width * some.length, step) }));
    one.plan.flush();
    const [everything, described] = [await one.everything(), one.plan.describe()];
    one.destroy();
    return { everything, described };
  };
  for (const width of [1, 6, 8]) {
    const [one, other] = [await run({ ...composed, fusedRows }, width), await run(composed, width)];
    assert.match(one.described, width % 4 === 0 ? /adam_fused_vec4/ : /adam_fused\(/);
    assert.not.match(other.described, /adam_fused/);
    same(one.everything, other.everything, ['p', 'exp_avg.p', 'exp_avg_sq.p']);
  }
});

fusedSuite('is left out where a norm needs the gradients', async () => {
  const one = await training(device, { ...tableSetting(adam(), 8, 'rows'), clipNorm: { maxNorm: 1 } });
  assert.match(one.plan.describe(), /adam_rows/);
  assert.not.match(one.plan.describe(), /adam_fused/);
  one.destroy();
});

fusedSuite.run();
