import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { embeddingsOf, firstOrderOf, summed } from '../support/twins.js';

const fwFmSuite = suite('FwFM');
const device = await testDevice();
fwFmSuite.after(() => device.destroy());

fwFmSuite(
  'is equal to the original in logits, losses, gradients, three Adam steps, predictions',
  async () => {
    assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/FwFM.json'))), []);
  },
);

/** Groups of the tiny data set's fields, and the group of each: sequences, tokens, floats. */
const groups = {
  0: ['user_id', 'gender', 'topics', 'age'],
  1: ['item_id', 'year', 'genres'],
  2: ['daypart', 'tags', 'price'],
};
const groupOf = [2, 0, 1, 0, 1, 2, 0, 1, 2, 0];

const twin =
  (classes: number, dim: number, dropout: number, of = groupOf.map((_, f) => f)): Twin =>
  (p, rows, drop) => {
    const pooled = rows.map((row) => {
      const e = embeddingsOf(p, '', row, dim, 'mean');
      return e[0].map((_, d) => {
        let sum = 0;
        for (let i = 0; i < e.length; i++) {
          for (let j = i + 1; j < e.length; j++)
            sum += p.weight[of[i] * (Math.max(...of) + 1) + of[j]] * e[i][d] * e[j][d];
        }
        return sum;
      });
    });
    return drop(pooled, dropout).map((row, b) => {
      const pairs = summed(p, row, classes);
      return firstOrderOf(p, rows[b], classes).map((first, k) => first + pairs[k]);
    });
  };

for (const [classes, dim, dropout] of [
  [1, 6, 0],
  [1, 4, 0.3],
  [5, 3, 0.4],
  [5, 8, 0],
] as const) {
  fwFmSuite(
    `${classes} classes, D ${dim}, dropout ${dropout}: loss and gradients are those of the equation in f64`,
    () => {
      const tiny = { model: 'FwFM', classes, embeddingSize: dim, options: { dropout_prob: dropout } };
      return checkModel(device, tiny, twin(classes, dim, dropout));
    },
  );
}

fwFmSuite('fields in groups share weights: loss and gradients are those of the equation in f64', () => {
  const options = { dropout_prob: 0, fields: groups };
  return checkModel(device, { model: 'FwFM', classes: 1, embeddingSize: 4, options }, twin(1, 4, 0, groupOf));
});

fwFmSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'FwFM', classes, options }, 60, 0.03);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

fwFmSuite.run();
