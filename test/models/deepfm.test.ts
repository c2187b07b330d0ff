import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, firstOrderOf, mlpOf, pairsOf, relu } from '../support/twins.js';

const deepFmSuite = suite('DeepFM');
const device = await testDevice();
deepFmSuite.after(() => device.destroy());

deepFmSuite('equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  const fixture = readFixture('test/fixtures/golden/DeepFM.json');
  assert.equal(exceeded(await compareFixture(device, fixture)), []);
});

const twin =
  (classes: number, layers: number, dim: number, p: number): Twin =>
  (parameters, rows, drop) => {
    const e = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean'));
    const x = e.map((fields) => fields.flat());
    const deep = mlpOf(parameters, 'mlp_layers', x, { layers, activation: relu, dropout: { drop, p } });
    return rows.map((row, b) => {
      const head = affine(parameters, 'deep_predict_layer', deep[b]);
      const pairs = pairsOf(parameters, e[b], classes);
      return firstOrderOf(parameters, row, classes).map((first, k) => first + pairs[k] + head[k]);
    });
  };

for (const [classes, dim, widths, p] of [
  [1, 6, [13, 7, 5], 0],
  [1, 4, [8, 4], 0.3],
  [5, 6, [13, 7, 5], 0.2],
  [5, 3, [4], 0],
] as const) {
  deepFmSuite(
    `${classes} classes, D ${dim}, MLP [${widths}], dropout ${p}: loss and gradients are those of the equation in f64`,
    () => {
      const options = { mlp_hidden_size: widths, dropout_prob: p };
      const tiny = { model: 'DeepFM', classes, embeddingSize: dim, options };
      return checkModel(device, tiny, twin(classes, widths.length, dim, p));
    },
  );
}

deepFmSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { mlp_hidden_size: [16, 8], dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'DeepFM', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

deepFmSuite.run();
