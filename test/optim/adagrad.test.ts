import { suite } from 'uvu';
import { adagrad, type AdagradOptions } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkRows, checkSteps, failing, testLr, type Twin } from './training.js';

const device = await testDevice();

const twin =
  ({ eps = 1e-10, lrDecay = 0, weightDecay = 0 }: AdagradOptions) =>
  (initial: Float32Array) => {
    const p = Float64Array.from(initial);
    const sum = new Float64Array(p.length);
    const update = (i: number, gradient: number, t: number) => {
      const g = gradient + weightDecay * p[i];
      sum[i] += g ** 2;
      p[i] -= ((testLr / (1 + (t - 1) * lrDecay)) * g) / (Math.sqrt(sum[i]) + eps);
    };
    return { p, update } satisfies Twin;
  };

const adagradSuite = suite('adagrad');
adagradSuite.after(() => device.destroy());

for (const options of [{}, { weightDecay: 0.1 }, { lrDecay: 0.5, eps: 0.1 }] satisfies AdagradOptions[]) {
  adagradSuite(`makes three steps as computed in f64, ${JSON.stringify(options)}`, () =>
    checkSteps(device, adagrad(options), twin(options)),
  );
}

for (const width of [1, 3, 8]) {
  for (const options of [{}, { weightDecay: 0.1, lrDecay: 0.01 }]) {
    adagradSuite(`on rows equals the dense rule, width ${width}, ${JSON.stringify(options)}`, () =>
      checkRows(device, adagrad(options), twin(options), { width, steps: 300, slots: ['sum'] }),
    );
  }
}

adagradSuite('refuses options outside their range', () => {
  failing(() => adagrad({ eps: 0 }), /^adagrad: eps is 0, but must be at least/);
  failing(() => adagrad({ lrDecay: -1 }), /^adagrad: lr decay is -1/);
  failing(() => adagrad({ weightDecay: -1 }), /^adagrad: weight decay is -1/);
});

adagradSuite.run();
