import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { checkTrajectory } from '../support/trajectory.js';
import { affine, embeddingsOf, firstOrderOf, mlpOf, relu } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const wideDeepSuite = suite('WideDeep');
const device = await testDevice();
wideDeepSuite.after(() => device.destroy());

const variants = ['', '_float', '_float_mc5', '_mc5', '_mc5_ratio1', '_mc5_thr3'];
for (const name of variants.map((variant) => `WideDeep${variant}`)) {
  wideDeepSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

for (const name of ['WideDeep', 'WideDeep_mc5']) {
  wideDeepSuite(`${name}: follows the original over twelve steps in which rows come and go`, () =>
    checkTrajectory(device, 'WideDeep', `${golden}/traj_${name}.json`, `${golden}/${name}.json`, {
      loss: 2e-6,
      parameter: 4e-6,
      prediction: 4e-6,
    }),
  );
}

const twin =
  (layers: number, dim: number, p: number): Twin =>
  (parameters, rows, drop) => {
    const x = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean').flat());
    const deep = mlpOf(parameters, 'mlp_layers', x, { layers, activation: relu, dropout: { drop, p } });
    return deep.map((row, b) => {
      const [wide] = firstOrderOf(parameters, rows[b], 1);
      return affine(parameters, 'deep_predict_layer', row).map((z) => z + wide);
    });
  };

for (const [classes, dim, widths, p] of [
  [1, 6, [13, 7, 5], 0],
  [1, 3, [4], 0.4],
  [5, 6, [13, 7, 5], 0.2],
  [5, 4, [8, 4], 0],
] as const) {
  wideDeepSuite(
    `${classes} classes, D ${dim}, MLP [${widths}], dropout ${p}: loss and gradients are those of the equation in f64`,
    () => {
      const options = { mlp_hidden_size: widths, dropout_prob: p };
      const tiny = { model: 'WideDeep', classes, embeddingSize: dim, options };
      return checkModel(device, tiny, twin(widths.length, dim, p));
    },
  );
}

wideDeepSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { mlp_hidden_size: [16, 8], dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'WideDeep', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

wideDeepSuite.run();
