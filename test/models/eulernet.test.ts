import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Drop, type Parameters, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { affine, embeddingsOf, relu, type Rows } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const eulerSuite = suite('EulerNet');
const device = await testDevice();
eulerSuite.after(() => device.destroy());

for (const name of ['EulerNet', 'EulerNet_mc5', 'EulerNet_norm', 'EulerNet_norm_mc5']) {
  eulerSuite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

interface Shape {
  readonly orders: readonly number[];
  readonly dim: number;
  readonly norm: boolean;
  readonly explicit: number;
  readonly implicit: number;
}

/** Real and imaginary parts [N·D] of a row. */
type Parts = readonly [readonly number[], readonly number[]];

/** Dropout of both parts of each row at once. */
function dropParts(drop: Drop, rows: readonly Parts[], p: number): Parts[] {
  return drop(
    rows.map(([re, im]) => [...re, ...im]),
    p,
  ).map((row) => [row.slice(0, row.length / 2), row.slice(row.length / 2)]);
}

/** Layer norm over pieces of `dim` numbers. */
function normalized(x: readonly number[], dim: number, gain: Float64Array, bias: Float64Array): number[] {
  return x.map((value, i) => {
    const piece = x.slice(i - (i % dim), i - (i % dim) + dim);
    const mean = piece.reduce((a, b) => a + b, 0) / dim;
    const variance = piece.reduce((sum, one) => sum + (one - mean) ** 2, 0) / dim;
    return ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[i % dim] + bias[i % dim];
  });
}

function layer(p: Parameters, name: string, z: readonly Parts[], drop: Drop, shape: Shape): Parts[] {
  const { dim, norm, explicit, implicit } = shape;
  const logs = z.map(([re, im]): Parts => [
    re.map((x, i) => 0.5 * Math.log(x * x + im[i] * im[i] + 1e-8)),
    re.map((x, i) => Math.atan2(im[i], x)),
  ]);
  const orders = p[`${name}.bias_lam`].length / dim;
  const mix = (x: readonly number[], bias: Float64Array) =>
    Array.from({ length: orders * dim }, (_, k) => {
      const [o, d] = [Math.floor(k / dim), k % dim];
      const powers = p[`${name}.inter_orders`];
      let sum = bias[d * orders + o];
      for (let f = 0; f * dim < x.length; f++) sum += powers[f * orders + o] * x[f * dim + d];
      return sum;
    });
  const explicitParts = dropParts(drop, logs, explicit);
  return dropParts(drop, z, implicit).map((inner, b): Parts => {
    const length = mix(explicitParts[b][0], p[`${name}.bias_lam`]).map(Math.exp);
    const angle = mix(explicitParts[b][1], p[`${name}.bias_theta`]);
    const product = [
      length.map((l, k) => l * Math.cos(angle[k])),
      length.map((l, k) => l * Math.sin(angle[k])),
    ];
    const [re, im] = inner.map((part, i) => {
      const sum = affine(p, `${name}.im`, part).map((x, k) => relu(x) + product[i][k]);
      const of = `${name}.${i === 0 ? 'norm_r' : 'norm_p'}`;
      return norm ? normalized(sum, dim, p[`${of}.weight`], p[`${of}.bias`]) : sum;
    });
    return [re, im];
  });
}

const twin =
  (shape: Shape): Twin =>
  (p, rows, drop) => {
    let z = rows.map((row): Parts => {
      const e: Rows = embeddingsOf(p, '', row, shape.dim, 'mean');
      const part = (f: (x: number) => number) => e.flatMap((field, k) => field.map((x) => p.mu[k] * f(x)));
      return [part(Math.cos), part(Math.sin)];
    });
    shape.orders.forEach((_, i) => (z = layer(p, `Euler_interaction_layers.${i}`, z, drop, shape)));
    return z.map(([re, im]) => {
      const imaginary = affine(p, 'reg', im);
      return affine(p, 'reg', re).map((x, k) => x + imaginary[k]);
    });
  };

const penalty = (p: Parameters) =>
  Object.entries(p)
    .filter(([name]) => /^(mu$|reg\.|Euler_)/.test(name))
    .reduce((sum, [, values]) => sum + 0.01 * Math.hypot(...values), 0);

for (const [classes, dim, orders, norm, explicit, implicit] of [
  [1, 6, [5, 3], false, 0, 0],
  [1, 3, [4], true, 0, 0],
  [5, 4, [3, 2], true, 0.3, 0.2],
  [5, 5, [7], false, 0.2, 0.4],
] as const) {
  eulerSuite(
    `${classes} classes, D ${dim}, orders [${orders}], norm ${norm}, dropouts ${explicit} and ${implicit}: loss and gradients are those of the equation in f64`,
    () => {
      const dropout = { drop_ex: explicit, drop_im: implicit };
      const options = { order_list: orders, apply_norm: norm, reg_weight: 0.01, ...dropout };
      const tiny = { model: 'EulerNet', classes, embeddingSize: dim, options, penalty };
      return checkModel(device, tiny, twin({ orders, dim, norm, explicit, implicit }));
    },
  );
}

eulerSuite('learns 37 rows by heart, also with dropout', async () => {
  for (const classes of [1, 5]) {
    const options = { order_list: [8], drop_ex: 0.1, drop_im: 0.1, apply_norm: true, reg_weight: 1e-5 };
    const [first, last] = await trainTiny(device, { model: 'EulerNet', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

eulerSuite('wants a layer', async () => {
  try {
    await checkModel(device, { model: 'EulerNet', classes: 1, options: { order_list: [] } }, () => []);
  } catch (error) {
    assert.is((error as Error).message, 'order_list: [] has no layers; give one or more');
    return;
  }
  assert.unreachable('no layers were accepted');
});

eulerSuite.run();
