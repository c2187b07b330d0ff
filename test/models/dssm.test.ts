import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { tinySchema } from '../support/tiny.js';
import { embeddingsOf, mlpOf } from '../support/twins.js';
import { twoSided } from '../../models/layers/towers.js';

const dssmSuite = suite('DSSM');
const device = await testDevice();
dssmSuite.after(() => device.destroy());

dssmSuite('equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/DSSM.json'))), []);
});

/** Fields of the tiny data set in the order topics, genres, user_id, gender, item_id, year, age. */
const [ofUser, ofItem] = [
  [0, 2, 3, 6],
  [1, 4, 5],
];

const twin =
  (classes: number, layers: number, dim: number, p: number): Twin =>
  (parameters, rows, drop) => {
    const e = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean'));
    const tower = (name: string, fields: readonly number[]) => {
      const x = e.map((all) => fields.flatMap((field) => all[field]));
      const options = { layers, activation: Math.tanh, norm: true, dropout: { drop, p } };
      return mlpOf(parameters, `${name}_mlp_layers`, x, options);
    };
    const [users, items] = [tower('user', ofUser), tower('item', ofItem)];
    const weights = parameters['predict_layer.weight'];
    return users.map((user, b) => {
      const length = Math.hypot(...user) * Math.hypot(...items[b]);
      const cosines = user.map((value, d) => (value * items[b][d]) / length);
      return Array.from({ length: classes }, (_, k) =>
        cosines.reduce((sum, part, d) => sum + (classes === 1 ? 1 : weights[k * user.length + d]) * part, 0),
      );
    });
  };

for (const [classes, dim, widths, p] of [
  [1, 6, [13, 7, 5], 0],
  [1, 4, [8], 0.3],
  [5, 6, [13, 5], 0.2],
  [5, 3, [4], 0],
] as const) {
  dssmSuite(
    `${classes} classes, D ${dim}, MLP [${widths}], dropout ${p}: loss and gradients are those of the equation in f64`,
    () => {
      const options = { mlp_hidden_size: widths, dropout_prob: p };
      const tiny = { model: 'DSSM', classes, embeddingSize: dim, options };
      return checkModel(device, tiny, twin(classes, widths.length, dim, p));
    },
  );
}

dssmSuite('learns 37 rows, also with dropout', async () => {
  // A cosine is no more than 1, and the loss of a logit of 1 no less than 0.31.
  for (const [classes, bound] of [
    [1, 0.45],
    [5, 1],
  ]) {
    const options = { mlp_hidden_size: [16, 8], dropout_prob: 0.1 };
    const [first, last] = await trainTiny(device, { model: 'DSSM', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < bound, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

dssmSuite('reads the fields of users first, then those of items, and none of the interaction', () => {
  const { token, tokenSeq, float } = twoSided(tinySchema({ rows: 1, users: 6, items: 9 }));
  assert.equal(
    token.map(({ name, offset }) => [name, offset]),
    [
      ['user_id', 0],
      ['gender', 6],
      ['item_id', 9],
      ['year', 18],
    ],
  );
  assert.equal(
    tokenSeq.map(({ name }) => name),
    ['topics', 'genres'],
  );
  assert.equal(
    float.map(({ name, offset }) => [name, offset]),
    [['age', 0]],
  );
});

dssmSuite('does not do without towers', async () => {
  const one = { model: 'DSSM', classes: 1, options: { double_tower: false } };
  const tried = await trainTiny(device, one, 1, 0.01).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  assert.is(tried, 'double_tower: false leaves DSSM no towers; leave the option out');
});

dssmSuite.run();
