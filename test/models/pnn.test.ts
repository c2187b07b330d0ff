import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Parameters, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, mlpOf, normsOf, relu } from '../support/twins.js';

const pnnSuite = suite('PNN');
const device = await testDevice();
pnnSuite.after(() => device.destroy());

pnnSuite('equal to the original in logits, losses, gradients, three Adam steps, predictions', async () => {
  assert.equal(exceeded(await compareFixture(device, readFixture('test/fixtures/golden/PNN.json'))), []);
});

/** What the tiny models are made of. */
interface Sizes {
  readonly inner: boolean;
  readonly outer: boolean;
  readonly widths: readonly number[];
  readonly dim: number;
  readonly p: number;
}

/** Inner products and bilinear forms of the pairs of a row's fields, both in the order (0,1), (0,2), … */
function productsOf(p: Parameters, e: readonly (readonly number[])[], { inner, outer }: Sizes): number[] {
  const dim = e[0].length;
  const pairs = e.flatMap((left, i) => e.slice(i + 1).map((right) => [left, right] as const));
  const products = pairs.map(([left, right]) => left.reduce((sum, value, d) => sum + value * right[d], 0));
  const kernel = p['outer_product.kernel'];
  const forms = pairs.map(([left, right], pair) =>
    right.reduce(
      (total, value, o) =>
        total +
        value *
          left.reduce(
            (sum, other, c) => sum + other * (kernel?.[(o * pairs.length + pair) * dim + c] ?? 0),
            0,
          ),
      0,
    ),
  );
  return [...(inner ? products : []), ...(outer ? forms : [])];
}

const twin =
  (sizes: Sizes): Twin =>
  (parameters, rows, drop) => {
    const { widths, dim, p } = sizes;
    const x = rows.map((row) => {
      const e = embeddingsOf(parameters, '', row, dim, 'mean');
      return [...e.flat(), ...productsOf(parameters, e, sizes)];
    });
    const options = { layers: widths.length, activation: relu, dropout: { drop, p } };
    return mlpOf(parameters, 'mlp_layers', x, options).map((row) => affine(parameters, 'predict_layer', row));
  };

const optionsOf = ({ inner, outer, widths, p }: Sizes) => {
  return { use_inner: inner, use_outer: outer, mlp_hidden_size: widths, dropout_prob: p };
};

for (const [classes, sizes] of [
  [1, { inner: true, outer: true, widths: [13, 7, 5], dim: 6, p: 0 }],
  [1, { inner: false, outer: false, widths: [8], dim: 4, p: 0.3 }],
  [5, { inner: false, outer: true, widths: [13, 5], dim: 3, p: 0.2 }],
  [5, { inner: true, outer: false, widths: [4], dim: 4, p: 0 }],
] as const) {
  const { inner, outer, widths, dim, p } = sizes;
  pnnSuite(
    `${classes} classes, inner ${inner}, outer ${outer}, D ${dim}, MLP [${widths}], dropout ${p}: ` +
      'loss and gradients are those of the equation in f64',
    () => {
      const options = { ...optionsOf(sizes), reg_weight: 0.01 };
      const penalty = (all: Parameters) => 0.01 * normsOf(all, /^mlp_layers.*weight$/);
      const tiny = { model: 'PNN', classes, embeddingSize: dim, options, penalty };
      return checkModel(device, tiny, twin(sizes));
    },
  );
}

pnnSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = optionsOf({ inner: true, outer: true, widths: [16, 8], dim: 3, p: 0.1 });
    const [first, last] = await trainTiny(device, { model: 'PNN', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

pnnSuite.run();
