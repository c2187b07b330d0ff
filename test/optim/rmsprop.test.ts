import { suite } from 'uvu';
import { rmsprop, type RmspropOptions } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkRows, checkSteps, failing, testLr, type Twin } from './training.js';

const device = await testDevice();

const twin =
  ({ alpha = 0.99, eps = 1e-8, weightDecay = 0 }: RmspropOptions) =>
  (initial: Float32Array) => {
    const p = Float64Array.from(initial);
    const v = new Float64Array(p.length);
    const update = (i: number, gradient: number) => {
      const g = gradient + weightDecay * p[i];
      v[i] = alpha * v[i] + (1 - alpha) * g ** 2;
      p[i] -= (testLr * g) / (Math.sqrt(v[i]) + eps);
    };
    return { p, update } satisfies Twin;
  };

const rmspropSuite = suite('rmsprop');
rmspropSuite.after(() => device.destroy());

for (const options of [{}, { weightDecay: 0.1 }, { alpha: 0.5, eps: 0.1 }] satisfies RmspropOptions[]) {
  rmspropSuite(`makes three steps as computed in f64, ${JSON.stringify(options)}`, () =>
    checkSteps(device, rmsprop(options), twin(options)),
  );
}

for (const width of [1, 3, 8]) {
  for (const options of [{}, { weightDecay: 0.1 }]) {
    rmspropSuite(`on rows equals the dense rule, width ${width}, ${JSON.stringify(options)}`, () =>
      checkRows(device, rmsprop(options), twin(options), { width, steps: 300, slots: ['square_avg'] }),
    );
  }
}

rmspropSuite('refuses options outside their range', () => {
  failing(() => rmsprop({ alpha: 1 }), /^rmsprop: alpha is 1, but must be from 0 to below 1$/);
  failing(() => rmsprop({ eps: 0 }), /^rmsprop: eps is 0/);
  failing(() => rmsprop({ weightDecay: -1 }), /^rmsprop: weight decay is -1/);
});

rmspropSuite.run();
