import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, mlpOf } from '../support/twins.js';

const fnnSuite = suite('FNN');
const device = await testDevice();
fnnSuite.after(() => device.destroy());

fnnSuite('equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/FNN.json'))), []);
});

const twin =
  (layers: number, dim: number, p: number): Twin =>
  (parameters, rows, drop) => {
    const x = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean').flat());
    const deep = mlpOf(parameters, 'mlp_layers', x, { layers, activation: Math.tanh, dropout: { drop, p } });
    return deep.map((row) => affine(parameters, 'predict_layer', row));
  };

for (const [classes, dim, widths, p] of [
  [1, 6, [13, 7, 5], 0],
  [1, 4, [8], 0.3],
  [5, 6, [13, 7, 5], 0.2],
  [5, 3, [4], 0],
] as const) {
  fnnSuite(
    `${classes} classes, D ${dim}, MLP [${widths}], dropout ${p}: loss and gradients are those of the equation in f64`,
    () => {
      const options = { mlp_hidden_size: widths, dropout_prob: p };
      const tiny = { model: 'FNN', classes, embeddingSize: dim, options };
      return checkModel(device, tiny, twin(widths.length, dim, p));
    },
  );
}

fnnSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { mlp_hidden_size: [16, 8], dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'FNN', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

fnnSuite.run();
