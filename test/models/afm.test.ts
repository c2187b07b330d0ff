import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shares } from '../support/attention_twin.js';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, firstOrderOf, relu } from '../support/twins.js';

const afmSuite = suite('AFM');
const device = await testDevice();
afmSuite.after(() => device.destroy());

afmSuite('is equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/AFM.json'))), []);
});

const twin =
  (classes: number, dim: number, dropout: number): Twin =>
  (p, rows, drop) => {
    const pooled = rows.map((row) => {
      const e = embeddingsOf(p, '', row, dim, 'mean');
      const pairs = e.flatMap((one, i) => e.slice(i + 1).map((other) => one.map((x, d) => x * other[d])));
      const weights = shares(
        pairs.map((pair) =>
          affine(p, 'attlayer.w', pair).reduce((sum, x, a) => sum + relu(x) * p['attlayer.h'][a], 0),
        ),
      );
      return e[0].map((_, d) => pairs.reduce((sum, pair, n) => sum + weights[n] * pair[d], 0));
    });
    return drop(pooled, dropout).map((row, b) =>
      firstOrderOf(p, rows[b], classes).map(
        (first, k) => first + row.reduce((sum, x, d) => sum + p.p[k * dim + d] * x, 0),
      ),
    );
  };

for (const [classes, dim, hidden, dropout, weight] of [
  [1, 6, 5, 0, 2],
  [1, 4, 8, 0.3, 0],
  [5, 3, 7, 0.4, 0.5],
  [5, 8, 4, 0, 0.1],
] as const) {
  afmSuite(
    `${classes} classes, D ${dim}, attention ${hidden}, dropout ${dropout}: loss and gradients are those of the equation in f64`,
    () => {
      const options = { attention_size: hidden, dropout_prob: dropout, reg_weight: weight };
      const penalty = (p: Readonly<Record<string, Float64Array>>) =>
        weight * Math.hypot(...p['attlayer.w.weight']);
      const tiny = { model: 'AFM', classes, embeddingSize: dim, options, penalty };
      return checkModel(device, tiny, twin(classes, dim, dropout));
    },
  );
}

afmSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { dropout_prob: 0.1, reg_weight: 0.001 };
    const [first, last] = await trainTiny(device, { model: 'AFM', classes, options }, 60, 0.03);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

afmSuite.run();
