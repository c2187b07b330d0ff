import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { checkTrajectory } from '../support/trajectory.js';
import { embeddingsOf, firstOrderOf, pairsOf } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const fmSuite = suite('FM');
const device = await testDevice();
fmSuite.after(() => device.destroy());

for (const name of ['FM', 'FM_float', 'FM_disc']) {
  fmSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

fmSuite('follows the original over twelve steps in which rows come and go', () =>
  checkTrajectory(device, 'FM', `${golden}/traj_FM.json`, `${golden}/FM.json`, {
    loss: 2e-6,
    parameter: 4e-6,
    prediction: 4e-6,
  }),
);

/** b_k + Σ w_k + Σ_{i<j} ⟨p_k, vᵢ ⊙ vⱼ⟩. */
const twin =
  (classes: number, dim: number): Twin =>
  (p, rows) =>
    rows.map((row) => {
      const pairs = pairsOf(p, embeddingsOf(p, '', row, dim, 'mean'), classes);
      return firstOrderOf(p, row, classes).map((first, k) => first + pairs[k]);
    });

for (const classes of [1, 5]) {
  for (const dim of [3, 4]) {
    fmSuite(
      `${classes} classes, D ${dim}: loss and gradients are those of the double loop over all fields`,
      () => checkModel(device, { model: 'FM', classes, embeddingSize: dim }, twin(classes, dim)),
    );
  }
}

fmSuite('probability sums: loss and gradients are those of the double loop', () =>
  checkModel(device, { model: 'FM', classes: 5, labelAggregation: 'prob_sum' }, twin(5, 3)),
);

fmSuite('learns 37 rows by heart', async () => {
  for (const classes of [1, 5]) {
    const [first, last] = await trainTiny(device, { model: 'FM', classes }, 60, 0.05);
    assert.ok(first > 0.5 && last < 0.1, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

fmSuite.run();
