import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import { checkModel, trainTiny, type Parameters, type Twin } from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { checkTrajectory } from '../support/trajectory.js';
import { affine, embeddingsOf, mlpOf, normsOf, relu } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const dcnV2Suite = suite('DCNV2');
const device = await testDevice();
dcnV2Suite.after(() => device.destroy());

const variants = ['', '_mc5', '_mixed', '_stacked', '_stacked_mc5', '_float_mc5'];
for (const name of variants.map((variant) => `DCNV2${variant}`)) {
  dcnV2Suite(
    `${name}: equal to the original in logits, losses, gradients, three Adam steps, predictions`,
    async () => {
      assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/${name}.json`))), []);
    },
  );
}

dcnV2Suite('follows the original over twelve steps in which rows come and go', () =>
  // As for NFM, biases before a batch norm wander, and predictions with them.
  checkTrajectory(device, 'DCNV2', `${golden}/traj_DCNV2_mc5.json`, `${golden}/DCNV2_mc5.json`, {
    loss: 2e-6,
    parameter: 4e-6,
    prediction: 7e-3,
    noisy: /mlp_layers\.(1|5)\.bias/,
  }),
);

/** What the tiny models are made of. */
interface Sizes {
  readonly mixed: boolean;
  readonly structure: 'parallel' | 'stacked';
  readonly widths: readonly number[];
  readonly dim: number;
  readonly p: number;
}

const [layers, experts, rank] = [2, 3, 2];

/** W_l x + b_l. */
function matrixMap(p: Parameters, l: number, x: readonly number[]): number[] {
  const named = { 'w.weight': p[`cross_layer_w.${l}`], 'w.bias': p[`bias.${l}`] };
  return affine(named, 'w', x);
}

/** Σ_e g_e · (U_e tanh(C_e tanh(V_eᵀ x)) + b_l). */
function expertMap(p: Parameters, l: number, x: readonly number[]): number[] {
  const powers = Array.from({ length: experts }, (_, e) => Math.exp(affine(p, `gating.${e}`, x)[0]));
  const all = powers.reduce((a, b) => a + b, 0);
  const [u, v, c] = ['u', 'v', 'c'].map((name) => p[`cross_layer_${name}.${l}`]);
  const ranks = Array.from({ length: rank }, (_, r) => r);
  return x.map((_, i) => {
    let sum = 0;
    for (let e = 0; e < experts; e++) {
      const at = (j: number, r: number) => (e * x.length + j) * rank + r;
      const low = ranks.map((r) => Math.tanh(x.reduce((total, value, j) => total + v[at(j, r)] * value, 0)));
      const inside = ranks.map((r) =>
        Math.tanh(low.reduce((total, value, j) => total + c[(e * rank + r) * rank + j] * value, 0)),
      );
      const raised = inside.reduce((total, value, r) => total + u[at(i, r)] * value, 0);
      sum += (powers[e] / all) * (raised + p[`bias.${l}`][i]);
    }
    return sum;
  });
}

const twin =
  ({ mixed, structure, widths, dim, p }: Sizes): Twin =>
  (parameters, rows, drop) => {
    const x0 = rows.map((row) => embeddingsOf(parameters, '', row, dim, 'mean').flat());
    const map = mixed ? expertMap : matrixMap;
    const crossed = x0.map((start) => {
      let x = start;
      for (let l = 0; l < layers; l++) {
        const mapped = map(parameters, l, x);
        x = x.map((value, i) => start[i] * mapped[i] + value);
      }
      return x;
    });
    const deepOf = (x: number[][]) =>
      mlpOf(parameters, 'mlp_layers', x, {
        layers: widths.length,
        activation: relu,
        norm: true,
        dropout: { drop, p },
      });
    const last =
      structure === 'stacked' ? deepOf(crossed) : deepOf(x0).map((deep, b) => [...crossed[b], ...deep]);
    return last.map((row) => affine(parameters, 'predict_layer', row));
  };

const optionsOf = ({ mixed, structure, widths, p }: Sizes, reg_weight = 0.01) => {
  return {
    mixed,
    structure,
    expert_num: experts,
    low_rank: rank,
    cross_layer_num: layers,
    mlp_hidden_size: widths,
    dropout_prob: p,
    reg_weight,
  };
};

for (const [classes, sizes] of [
  [1, { mixed: false, structure: 'parallel', widths: [13, 7, 5], dim: 3, p: 0 }],
  [5, { mixed: false, structure: 'parallel', widths: [8], dim: 4, p: 0.3 }],
  [1, { mixed: false, structure: 'stacked', widths: [5], dim: 3, p: 0.3 }],
  [5, { mixed: true, structure: 'parallel', widths: [13, 5], dim: 3, p: 0 }],
  [1, { mixed: true, structure: 'stacked', widths: [8], dim: 2, p: 0.2 }],
] as const) {
  const { mixed, structure, widths, dim, p } = sizes;
  dcnV2Suite(
    `${classes} classes, ${mixed ? 'mixed, ' : ''}${structure}, D ${dim}, MLP [${widths}], dropout ${p}: ` +
      'loss and gradients are those of the equation in f64',
    () => {
      const penalty = (parameters: Parameters) => 0.01 * normsOf(parameters, /^cross_layer/);
      const options = optionsOf(sizes);
      return checkModel(
        device,
        { model: 'DCNV2', classes, embeddingSize: dim, options, penalty },
        twin(sizes),
      );
    },
  );
}

dcnV2Suite('learns 37 rows by heart, also with dropout', async () => {
  for (const [classes, mixed, structure] of [
    [1, false, 'parallel'],
    [5, true, 'stacked'],
  ] as const) {
    const options = optionsOf({ mixed, structure, widths: [16, 8], dim: 3, p: 0.1 }, 0);
    const [first, last] = await trainTiny(device, { model: 'DCNV2', classes, options }, 60, 0.02);
    assert.ok(first > 0.5 && last < 0.6, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

dcnV2Suite('names a structure that it does not have', async () => {
  const tried = await trainTiny(
    device,
    { model: 'DCNV2', classes: 1, options: { structure: 'serial' } },
    1,
    0.01,
  ).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  assert.is(tried, 'structure: "serial" is neither parallel nor stacked; give one of them');
});

dcnV2Suite.run();
