import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, mlpOf, normsOf, relu } from '../support/twins.js';

const dcnSuite = suite('DCN');
const device = await testDevice();
dcnSuite.after(() => device.destroy());

for (const name of ['DCN', 'DCN_rating']) {
  dcnSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      const fixture = readFixture(`test/fixtures/golden/${name}.json`);
      assert.equal(exceeded(await compareFixture(device, fixture)), []);
    },
  );
}

/** What the tiny models are made of. */
interface Sizes {
  readonly layers: number;
  readonly widths: readonly number[];
  readonly dim: number;
  readonly p: number;
}

const twin =
  ({ layers, widths, dim, p }: Sizes): Twin =>
  (parameters, rows, drop) => {
    const x0 = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean').flat());
    const crossed = x0.map((start) => {
      let x = start;
      for (let l = 0; l < layers; l++) {
        const w = parameters[`cross_layer_w.${l}`];
        const product = x.reduce((sum, value, i) => sum + value * w[i], 0);
        x = x.map((value, i) => start[i] * product + parameters[`cross_layer_b.${l}`][i] + value);
      }
      return x;
    });
    const deep = mlpOf(parameters, 'mlp_layers', x0, {
      layers: widths.length,
      activation: relu,
      norm: true,
      dropout: { drop, p },
    });
    return crossed.map((x, b) => affine(parameters, 'predict_layer', [...x, ...deep[b]]));
  };

const options = ({ layers, widths, p }: Sizes) => {
  return { cross_layer_num: layers, mlp_hidden_size: widths, dropout_prob: p, reg_weight: 0.1 };
};

for (const [classes, sizes, loss_type] of [
  [1, { layers: 3, widths: [13, 7, 5], dim: 6, p: 0 }, 'label'],
  [1, { layers: 1, widths: [8], dim: 4, p: 0.3 }, 'rating'],
  [5, { layers: 2, widths: [13, 5], dim: 6, p: 0.2 }, 'label'],
  [5, { layers: 2, widths: [4], dim: 3, p: 0 }, 'label'],
] as const) {
  const { layers, widths, dim, p } = sizes;
  dcnSuite(
    `${classes} classes, D ${dim}, ${layers} cross layers, MLP [${widths}], dropout ${p}, target ${loss_type}: ` +
      'loss and gradients are those of the equation in f64',
    () => {
      const penalty = (parameters: Parameters<Twin>[0]) => 0.1 * normsOf(parameters, /^cross_layer_w/);
      const all = { ...options(sizes), loss_type };
      return checkModel(
        device,
        { model: 'DCN', classes, embeddingSize: dim, options: all, penalty },
        twin(sizes),
      );
    },
  );
}

dcnSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const small = { ...options({ layers: 2, widths: [16, 8], dim: 3, p: 0.1 }), reg_weight: 0 };
    const [first, last] = await trainTiny(device, { model: 'DCN', classes, options: small }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.5, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

dcnSuite('names a target that it does not have, and one that classes leave no room for', async () => {
  const refuses = async (classes: number, loss_type: string, message: RegExp) => {
    const tried = await trainTiny(device, { model: 'DCN', classes, options: { loss_type } }, 1, 0.01).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
    assert.match(tried, message);
  };
  await refuses(1, 'clicks', /^loss_type: "clicks" is neither label nor rating/);
  await refuses(5, 'rating', /^loss_type: ratings are the target of binary logits, but there are 5 classes/);
});

dcnSuite.run();
