import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { models } from '../../models/index.js';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Parameters, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, firstOrderOf, mlpOf, relu, type Rows } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const xDeepFmSuite = suite('xDeepFM');
const device = await testDevice();
xDeepFmSuite.after(() => device.destroy());

for (const name of ['xDeepFM', 'xDeepFM_direct', 'xDeepFM_mc5']) {
  xDeepFmSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

interface Shape {
  readonly cin: readonly number[];
  readonly direct: boolean;
  readonly layers: number;
  readonly dim: number;
  readonly p: number;
}

/** What the CIN gives for one row: the outer product of the last maps and the fields, weighted, in every layer. */
function interactions(p: Parameters, e: Rows, { cin, direct, dim }: Shape): number[] {
  let x: Rows = e;
  return cin.flatMap((width, i) => {
    const weight = p[`conv1d_list.${i}.weight`];
    const maps = Array.from({ length: width }, (_, o) =>
      Array.from({ length: dim }, (_, d) => {
        const outer = x.flatMap((map) => e.map((field) => map[d] * field[d]));
        const bias = p[`conv1d_list.${i}.bias`][o];
        return relu(outer.reduce((sum, value, k) => sum + value * weight[o * outer.length + k], bias));
      }),
    );
    const whole = direct || i === cin.length - 1;
    x = whole ? maps : maps.slice(0, width / 2);
    return (whole ? maps : maps.slice(width / 2)).map((map) => map.reduce((a, b) => a + b, 0));
  });
}

const twin =
  (shape: Shape): Twin =>
  (parameters, rows, drop) => {
    const { dim, layers, p } = shape;
    const e = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean'));
    const x = e.map((fields) => fields.flat());
    const deep = mlpOf(parameters, 'mlp_layers', x, { layers, activation: relu, dropout: { drop, p } });
    return deep.map((row, b) => {
      const [first] = firstOrderOf(parameters, rows[b], 1);
      const [crossed] = affine(parameters, 'cin_linear', interactions(parameters, e[b], shape));
      return row.map((z) => z + crossed + first);
    });
  };

/** The norms of all weights but those of the embeddings and the head of the CIN. */
const penalty = (weight: number) => (p: Parameters) =>
  Object.entries(p)
    .filter(([name]) => /^(mlp_layers|first_order_linear|conv1d_list)\..*weight$/.test(name))
    .reduce((sum, [, values]) => sum + weight * Math.hypot(...values), 0);

for (const [classes, dim, cin, direct, widths, p] of [
  [1, 6, [6, 4, 4], false, [13, 7, 5], 0],
  [1, 4, [3, 5], true, [4], 0],
  [5, 6, [3, 1], true, [13, 7, 5], 0.2],
  [5, 3, [2, 2], false, [4], 0.4],
] as const) {
  const how = direct ? 'direct' : 'split';
  xDeepFmSuite(
    `${classes} classes, D ${dim}, CIN [${cin}] ${how}, MLP [${widths}], dropout ${p}: loss and gradients are those of the equation in f64`,
    () => {
      const weights = { reg_weight: 0.01, dropout_prob: p };
      const options = { mlp_hidden_size: widths, cin_layer_size: cin, direct, ...weights };
      const tiny = { model: 'xDeepFM', classes, embeddingSize: dim, options, penalty: penalty(0.01) };
      return checkModel(device, tiny, twin({ cin, direct, layers: widths.length + 1, dim, p }));
    },
  );
}

const small = { mlp_hidden_size: [16], dropout_prob: 0.1, reg_weight: 1e-4 };

xDeepFmSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { ...small, cin_layer_size: [8, 8] };
    const [first, last] = await trainTiny(device, { model: 'xDeepFM', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

const model = models.find(({ name }) => name === 'xDeepFM');

xDeepFmSuite('makes odd layers even where they are split, and says so', async () => {
  const notes = (direct: boolean, cin_layer_size: readonly number[]) =>
    model?.notes?.({ direct, cin_layer_size });
  assert.equal(notes(false, [8, 6]), []);
  assert.equal(notes(true, [7, 5]), []);
  assert.equal(notes(false, [7, 5]), [
    'cin_layer_size: [7,5] has odd widths, which cannot be halved; it is [6,4] now',
  ]);
  const options = { ...small, dropout_prob: 0, reg_weight: 0, cin_layer_size: [5, 3] };
  const shape = { cin: [4, 2], direct: false, layers: 2, dim: 3, p: 0 };
  await checkModel(device, { model: 'xDeepFM', classes: 1, options }, twin(shape));
});

xDeepFmSuite('says which layers are too small', async () => {
  const options = { ...small, cin_layer_size: [4, 1] };
  try {
    await checkModel(device, { model: 'xDeepFM', classes: 1, options }, () => []);
  } catch (error) {
    assert.is((error as Error).message, 'cin_layer_size: [4,1] leaves [4,0]; give layers of 2 or more');
    return;
  }
  assert.unreachable('a layer of width 1 was halved');
});

xDeepFmSuite.run();
