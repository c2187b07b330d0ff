import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attentionOf, type Fields } from '../support/attention_twin.js';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, firstOrderOf, mlpOf, relu } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const autoIntSuite = suite('AutoInt');
const device = await testDevice();
autoIntSuite.after(() => device.destroy());

for (const name of ['AutoInt', 'AutoInt_mc5', 'AutoInt_residual', 'AutoInt_residual_mc5']) {
  autoIntSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

interface Shape {
  readonly dim: number;
  readonly heads: number;
  readonly layers: number;
  readonly hidden: number;
  readonly residual: boolean;
  readonly dropout: readonly number[];
}

const twin =
  ({ dim, heads, layers, hidden, residual, dropout }: Shape): Twin =>
  (p, rows, drop) => {
    const e = rows.map((row) => embeddingsOf(p, '', row, dim, 'mean'));
    let x: Fields = e.map((row) => row.map((field) => affine(p, 'att_embedding', field)));
    for (let layer = 0; layer < layers; layer++)
      x = attentionOf(p, `self_attns.${layer}`, x, heads, { drop, p: dropout[0] });
    const flat = e.map((row) => row.flat());
    const options = { layers: hidden, activation: relu, dropout: { drop, p: dropout[1] } };
    const deep = mlpOf(p, 'mlp_layers', flat, options);
    return rows.map((row, b) => {
      const added = e[b].map((field) => (residual ? affine(p, 'v_res_embedding', field) : []));
      const crossed = x[b].map((field, f) => field.map((value, a) => relu(value + (added[f][a] ?? 0))));
      const [first] = firstOrderOf(p, row, 1);
      const deepPart = affine(p, 'deep_predict_layer', deep[b]);
      return affine(p, 'attn_fc', crossed.flat()).map((z, k) => z + deepPart[k] + first);
    });
  };

// one head of 5, three heads of 2, whole vec4s
for (const [classes, dim, heads, width, layers, residual, widths, dropout] of [
  [1, 6, 1, 5, 1, false, [13, 7, 5], [0, 0, 0]],
  [5, 6, 3, 6, 2, true, [4], [0.3, 0.2, 0]],
  [1, 4, 2, 8, 3, false, [8], [0.2, 0, 0]],
  [5, 3, 2, 4, 2, false, [5], [0, 0, 0]],
] as const) {
  const shape = { dim, heads, layers, hidden: widths.length, residual, dropout };
  const about = `D ${dim}, ${layers} layers of ${heads} heads over ${width}, residual ${residual}, dropout ${dropout}`;
  autoIntSuite(`${classes} classes, ${about}: loss and gradients are those of the equation in f64`, () => {
    const options = {
      attention_size: width,
      n_layers: layers,
      num_heads: heads,
      dropout_probs: dropout,
      mlp_hidden_size: widths,
      has_residual: residual,
    };
    const tiny = { model: 'AutoInt', classes, embeddingSize: dim, options };
    return checkModel(device, tiny, twin(shape));
  });
}

autoIntSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { mlp_hidden_size: [16], dropout_probs: [0.1, 0.1, 0] };
    const [first, last] = await trainTiny(device, { model: 'AutoInt', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

autoIntSuite('says which options do not fit', async () => {
  const train = (options: Readonly<Record<string, number | readonly number[]>>) =>
    trainTiny(device, { model: 'AutoInt', classes: 1, options }, 1, 0.01).then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  assert.is(
    await train({ num_heads: 3 }),
    'ShapeError: num_heads: attention_size 4 does not divide into 3 heads; choose a num_heads that divides attention_size',
  );
  assert.is(
    await train({ dropout_probs: [0.1] }),
    'ShapeError: dropout_probs: has 1 values, but takes 3; give that of attention, of the MLP, and one not used',
  );
});

autoIntSuite.run();
