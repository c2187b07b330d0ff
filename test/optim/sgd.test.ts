import { suite } from 'uvu';
import { sgd } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkRows, checkSteps, failing, testLr, type Twin } from './training.js';

const device = await testDevice();

const twin = (weightDecay: number) => (initial: Float32Array) => {
  const p = Float64Array.from(initial);
  const update = (i: number, g: number) => (p[i] -= testLr * (g + weightDecay * p[i]));
  return { p, update } satisfies Twin;
};

const sgdSuite = suite('sgd');
sgdSuite.after(() => device.destroy());

for (const weightDecay of [0, 0.1]) {
  sgdSuite(`makes three steps as computed in f64, weight decay ${weightDecay}`, () =>
    checkSteps(device, sgd({ weightDecay }), twin(weightDecay)),
  );
  for (const width of [1, 3, 8]) {
    sgdSuite(`on rows equals the dense rule, width ${width}, weight decay ${weightDecay}`, () =>
      checkRows(device, sgd({ weightDecay }), twin(weightDecay), { width, steps: 300, slots: [] }),
    );
  }
}

sgdSuite('refuses a negative weight decay', () => {
  failing(() => sgd({ weightDecay: -1 }), /^sgd: weight decay is -1, but must be at least 0$/);
});

sgdSuite.run();
