import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Probe } from '../../cli/runner/probe.js';
import { Runner } from '../../cli/runner.js';
import { adam, dropoutMask } from '../../engine/index.js';
import { models, packFeatures } from '../../models/index.js';
import { testDevice } from '../support/device.js';
import {
  checkModel,
  checkSeed,
  datasetOfTiny,
  droppers,
  programOfTiny,
  tinyRows,
  tinySizes,
  type Drop,
  type Parameters,
  type TinyModel,
  type TinyRow,
  type Twin,
} from '../support/model_check.js';
import { affine, embeddingsOf, firstOrderOf, mlpOf, pairsOf, relu } from '../support/twins.js';

const device = await testDevice();
const penalty = suite('gradient penalty');

/** Logits of embedded rows [B,F,D]. */
type OfEmbedded = (p: Parameters, rows: readonly TinyRow[], e: number[][][], drop: Drop) => number[][];

const stepLength = 1e-2;

/** Fields of the parts of e: three sequences, the tokens, the floats. */
const partFields = [1, 1, 1, 5, 2];

/** Signs [B,F,D] of the first step; parts draw from consecutive streams, from `first` on. */
function signsOf(rows: number, dim: number, first: number): number[][][] {
  const parts = partFields.map((fields, i) => {
    const mask = dropoutMask({ seed: checkSeed, step: 0, stream: first + i }, 0.5, rows * fields * dim);
    return (row: number) =>
      Array.from({ length: fields }, (_, f) =>
        Array.from(mask.subarray((row * fields + f) * dim, (row * fields + f + 1) * dim), (m) => m - 1),
      );
  });
  return Array.from({ length: rows }, (_, row) => parts.flatMap((part) => part(row)));
}

/** A model that is checked: its twin as it is, and λ · mean ‖(z(e + hδ) − z(e)) / h‖² in f64. */
async function check(one: TinyModel, dim: number, of: OfEmbedded, streams: number): Promise<void> {
  const weight = 0.7;
  const embedded = (p: Parameters, rows: readonly TinyRow[]) =>
    rows.map((row) => embeddingsOf(p, '', row, dim, 'mean'));
  const twin: Twin = (p, rows, drop) => of(p, rows, embedded(p, rows), drop);
  const rows = tinyRows();
  const signs = signsOf(rows.length, dim, streams);
  const each = stepLength / Math.sqrt(partFields.reduce((a, b) => a + b, 0) * dim);
  const slope = (p: Parameters) => {
    const e = embedded(p, rows);
    const moved = e.map((row, b) => row.map((field, f) => field.map((x, d) => x + each * signs[b][f][d])));
    const z = of(p, rows, e, droppers());
    const quotients = of(p, rows, moved, droppers()).map((row, b) =>
      row.map((v, k) => (v - z[b][k]) / stepLength),
    );
    return quotients.flat().reduce((sum, q) => sum + q * q, 0) / rows.length;
  };
  // checkModel takes what a model adds inside of the mix of losses.
  const share = one.classes === 1 ? 1 : 1 - (one.ratio ?? 0.3);
  await checkModel(
    device,
    // A difference quotient in f32 rounds.
    {
      ...one,
      tolerance: 1e-3,
      embeddingSize: dim,
      gradientPenalty: weight,
      penalty: (p) => (weight / share) * slope(p),
    },
    twin,
  );
}

for (const classes of [1, 5]) {
  for (const dim of [3, 4]) {
    penalty(`FM, ${classes} classes, D ${dim}: loss and gradients are those in f64`, () =>
      check(
        { model: 'FM', classes },
        dim,
        (p, rows, e) =>
          rows.map((row, b) => {
            const pairs = pairsOf(p, e[b], classes);
            return firstOrderOf(p, row, classes).map((first, k) => first + pairs[k]);
          }),
        0,
      ),
    );
  }
  for (const p of [0, 0.4]) {
    penalty(`WideDeep, ${classes} classes, dropout ${p}: both passes drop the same`, () => {
      const options = { mlp_hidden_size: [6, 4], dropout_prob: p };
      const of: OfEmbedded = (parameters, rows, e, drop) => {
        const x = e.map((row) => row.flat());
        const deep = mlpOf(parameters, 'mlp_layers', x, {
          layers: 2,
          activation: relu,
          dropout: { drop, p },
        });
        return deep.map((row, b) => {
          const [wide] = firstOrderOf(parameters, rows[b], 1);
          return affine(parameters, 'deep_predict_layer', row).map((z) => z + wide);
        });
      };
      return check({ model: 'WideDeep', classes, options }, 3, of, 2);
    });
  }
}

/** Trains a few steps of a tiny model; what it ends with, and ‖∂z/∂e‖² of all rows together. */
async function trained(one: TinyModel, steps: number, lr = 0.02) {
  const program = programOfTiny(one);
  const features = packFeatures(datasetOfTiny(one));
  const order = Uint32Array.from({ length: tinySizes.rows }, (_, i) => i);
  const runner = await Runner.open(device, program, features, {
    trainBatch: tinySizes.rows,
    evalBatch: 16,
    trainRows: tinySizes.rows,
    optimizer: adam(),
    seed: 3,
  });
  const losses: number[] = [];
  for (let epoch = 0; epoch < steps; epoch++) {
    for await (const { parts } of runner.train(order, { stepsBefore: epoch, done: 0 }, () => lr))
      losses.push(parts.loss[0]);
  }
  const probe = await Probe.open(device, runner.store, program, features, 'logits', tinySizes.rows);
  const { gram } = await probe.measure(order);
  const states = new Map<string, ArrayLike<number>>();
  for (const { name } of runner.store.list('state'))
    states.set(name, (await runner.store.read(name)).slice());
  const slots = runner.store.list('slot').map(({ name, shape }) => `${name} ${shape}`);
  probe.destroy();
  runner.destroy();
  return { losses, states, slots, slope: gram.reduce((a, b) => a + b, 0) };
}

for (const { name } of models) {
  for (const classes of [1, 5]) {
    penalty(
      `${name}, ${classes} classes: learns, tables are still updated by rows, statistics move once`,
      async () => {
        const plain = await trained({ model: name, classes }, 1);
        const { losses, slots, states } = await trained({ model: name, classes, gradientPenalty: 1e-6 }, 1);
        assert.ok(losses.every(Number.isFinite));
        assert.equal(slots, plain.slots);
        for (const [state, values] of states) assert.equal(values, plain.states.get(state), state);
      },
    );
  }
}

for (const model of ['FM', 'NFM', 'DCNV2']) {
  penalty(`${model}: makes logits follow embeddings less`, async () => {
    const [without, with10] = await Promise.all(
      [0, 10].map((gradientPenalty) => trained({ model, classes: 1, gradientPenalty }, 40)),
    );
    assert.ok(with10.slope < 0.7 * without.slope, `${with10.slope} against ${without.slope}`);
  });
}

penalty.run();

const smoothing = suite('label smoothing');

for (const classes of [1, 5]) {
  smoothing(`FM, ${classes} classes: loss and gradients are those of smoothed targets in f64`, () =>
    checkModel(device, { model: 'FM', classes, labelSmoothing: 0.2 }, (p, rows) =>
      rows.map((row) => {
        const pairs = pairsOf(p, embeddingsOf(p, '', row, 3, 'mean'), classes);
        return firstOrderOf(p, row, classes).map((first, k) => first + pairs[k]);
      }),
    ),
  );
}

smoothing('is refused where ratings are the target', async () => {
  const one = { model: 'DCN', classes: 1, options: { loss_type: 'rating' }, labelSmoothing: 0.2 };
  try {
    await trained(one, 1);
  } catch (error) {
    assert.match((error as Error).message, /^label_smoothing: ratings are the target/);
    return;
  }
  assert.unreachable('it was accepted');
});

smoothing.after(() => device.destroy());
smoothing.run();
