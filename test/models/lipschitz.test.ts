import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LossGradient } from '../../cli/runner/loss_gradient.js';
import { Probe } from '../../cli/runner/probe.js';
import { Store, compile, type Device } from '../../engine/index.js';
import {
  Feed,
  models,
  packFeatures,
  traceEvaluation,
  traceProbe,
  uploadChunk,
  uploadFeatures,
} from '../../models/index.js';
import { testDevice } from '../support/device.js';
import {
  datasetOfTiny,
  programOfTiny,
  tinyRows,
  tinySizes,
  type Parameters,
  type TinyModel,
} from '../support/model_check.js';
import { numbers } from '../support/numbers.js';
import { embeddingsOf, firstOrderOf, pairsOf } from '../support/twins.js';

const device = await testDevice();
const count = tinySizes.rows;
const all = Uint32Array.from({ length: count }, (_, i) => i);

/** A tiny model with parameters large enough that its probabilities differ, ready to be measured. */
async function openTiny(device: Device, one: TinyModel) {
  const program = programOfTiny(one);
  const features = packFeatures(datasetOfTiny(one));
  const { users, items } = features;
  const sizes = { scope: 'eval', rows: count, capacity: count, chunkSteps: 1, users, items };
  const store = new Store(device, 4);
  const { tape } = traceEvaluation(program, sizes);
  const plan = await compile(device, store, { tape });
  plan.destroy();
  const random = numbers(11);
  for (const { name, shape } of store.list('parameter')) {
    const values = await store.read(name);
    const more = random(shape);
    // Sigmoids and cosines flatten what is small, large products saturate.
    const flat = one.model === 'NFM' || one.model === 'DSSM';
    const size = name.includes('embedding') || flat ? 1.5 : 0.5;
    store.write(
      name,
      Float32Array.from(values, (value, i) => size * (value + 0.2 * more[i])),
    );
  }
  return { program, features, store };
}

/** Norms of ∂y/∂e by central differences: every element of e is moved on its own, in all rows at once. */
async function differences(device: Device, one: TinyModel, h: number): Promise<Float64Array> {
  const { program, features, store } = await openTiny(device, one);
  const { users, items } = features;
  const sizes = { scope: 'moved', rows: count, capacity: count, chunkSteps: 1, users, items };
  const { tape, prediction, moves } = traceProbe(program, sizes);
  const plan = await compile(device, store, { tape, keep: [prediction.score] });
  uploadFeatures(store, features);
  const feed = new Feed(features, { capacity: count, chunkSteps: 1, segments: [] });
  uploadChunk(store, 'moved', feed.chunk(all, count));
  const columns = prediction.score.shape[1];
  const squares = new Float64Array(count);
  for (const { name, shape } of moves) {
    const width = shape[1] * shape[2];
    for (let at = 0; at < width; at++) {
      const [above, below] = await Promise.all(
        [h, -h].map(async (step) => {
          const move = new Float32Array(count * width);
          for (let row = 0; row < count; row++) move[row * width + at] = step;
          store.write(name, move);
          plan.setPosition({ step: 0, cursor: 0, seed: 0 });
          plan.run(1);
          return plan.read(prediction.score);
        }),
      );
      for (let row = 0; row < count; row++) {
        const last = row * columns + columns - 1;
        squares[row] += ((above[last] - below[last]) / (2 * h)) ** 2;
      }
    }
    store.write(name, new Float32Array(count * width));
  }
  plan.destroy();
  store.destroy();
  return squares.map(Math.sqrt);
}

/** Errors of the measured norms as a share of their mean: that of the median row and of the worst. */
function errorsOf(measured: Float64Array, expected: Float64Array) {
  const mean = expected.reduce((a, b) => a + b, 0) / expected.length;
  const errors = measured.map((value, i) => Math.abs(value - expected[i]) / mean).sort();
  return { median: errors[errors.length >> 1], worst: errors[errors.length - 1] };
}

const probe = suite('Probe');

// An activation with a kink within the step has no difference quotient that is its derivative there.
const kinked = new Set([
  'WideDeep',
  'DeepFM',
  'AutoInt',
  'DCN',
  'DCNV2',
  'xDeepFM',
  'AFM',
  'EulerNet',
  'PNN',
  'FiGNN',
]);

for (const { name } of models) {
  for (const classes of [1, 5]) {
    // Every model has logits of its own; what is made of them is the same for all.
    const sums =
      classes > 1 && name === 'FM' ? (['logit_sum', 'prob_sum'] as const) : (['logit_sum'] as const);
    for (const labelAggregation of sums) {
      probe(`${name}, ${classes} classes, ${labelAggregation}: is what moved embeddings say`, async () => {
        const one: TinyModel = { model: name, classes, labelAggregation };
        const expected = await differences(device, one, kinked.has(name) ? 1e-3 : 4e-3);
        assert.ok(Math.max(...expected) > 2e-3, `at most ${Math.max(...expected)} is too little`);
        const { program, features, store } = await openTiny(device, one);
        // 16: three passes, the last of them short.
        const meter = await Probe.open(device, store, program, features, 'score', 16);
        const { gram, outputs } = await meter.measure(all);
        assert.is(outputs, 1);
        const { median, worst } = errorsOf(gram.map(Math.sqrt), expected);
        assert.ok(
          median < 5e-3 && worst < (kinked.has(name) ? 5e-2 : 5e-3),
          `off by ${median}, ${worst} at worst`,
        );
        meter.destroy();
        store.destroy();
      });
    }
  }
}

for (const classes of [1, 5]) {
  probe(`FM, ${classes} classes: is what the equation in f64 says of moved embeddings`, async () => {
    const one: TinyModel = { model: 'FM', classes };
    const { program, features, store } = await openTiny(device, one);
    const meter = await Probe.open(device, store, program, features, 'score');
    const { gram } = await meter.measure(all);
    const p: Record<string, Float64Array> = {};
    for (const { name } of store.list('parameter')) p[name] = Float64Array.from(await store.read(name));
    const probability = (row: ReturnType<typeof tinyRows>[number], e: number[][]) => {
      const pairs = pairsOf(p, e, classes);
      const z = firstOrderOf(p, row, classes).map((first, k) => first + pairs[k]);
      const side = (of: number[]) => of.reduce((a, b) => a + b, 0);
      const logit = classes === 1 ? z[0] : side(z.slice(3)) - side(z.slice(0, 3));
      return 1 / (1 + Math.exp(-logit));
    };
    tinyRows().forEach((row, i) => {
      const e = embeddingsOf(p, '', row, 3, 'mean');
      const slopes = e.flatMap((field, f) =>
        field.map((value, d) => {
          const at = (step: number) => probability(row, e.with(f, field.with(d, value + step)));
          return (at(1e-5) - at(-1e-5)) / 2e-5;
        }),
      );
      const expected = Math.hypot(...slopes);
      assert.ok(
        Math.abs(Math.sqrt(gram[i]) - expected) < 2e-4 * Math.max(expected, 0.01),
        `row ${i}: ${Math.sqrt(gram[i])}, expected ${expected}`,
      );
    });
    meter.destroy();
    store.destroy();
  });
}

probe('of logits gives ‖∂p/∂e‖ by the chain rule', async () => {
  const one: TinyModel = { model: 'NFM', classes: 5 };
  const { program, features, store } = await openTiny(device, one);
  const ofScore = await Probe.open(device, store, program, features, 'score');
  const ofLogits = await Probe.open(device, store, program, features, 'logits', 20);
  const score = await ofScore.measure(all);
  const { outputs, values, gram } = await ofLogits.measure(all);
  assert.is(outputs, 5);
  for (const row of all) {
    const z = values.subarray(row * 5, row * 5 + 5);
    const p = 1 / (1 + Math.exp(z[0] + z[1] + z[2] - z[3] - z[4]));
    const v = [-1, -1, -1, 1, 1].map((sign) => sign * p * (1 - p));
    let square = 0;
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) square += v[i] * v[j] * gram[25 * row + 5 * i + j];
    assert.ok(Math.abs(score.values[row] - p) < 1e-5);
    assert.ok(Math.abs(square - score.gram[row]) < 1e-3 * score.gram[row], `row ${row}`);
  }
  ofScore.destroy();
  ofLogits.destroy();
  store.destroy();
});

probe.run();

const gradient = suite('LossGradient');

for (const { name } of models) {
  for (const classes of [1, 5]) {
    gradient(`${name}, ${classes} classes: measures what is trained and changes nothing`, async () => {
      const { program, features, store } = await openTiny(device, { model: name, classes });
      const kept = () =>
        Promise.all(
          store.list('parameter', 'state').map(async ({ name }) => (await store.read(name)).slice()),
        );
      const before = await kept();
      const meter = await LossGradient.open(device, store, program, features, all.subarray(0, 30));
      const first = await meter.norms();
      assert.equal(await meter.norms(), first);
      assert.equal(await kept(), before);
      for (const { weight, gradient } of Object.values(first)) {
        assert.ok(weight > 0 && gradient > 0 && Number.isFinite(weight + gradient), JSON.stringify(first));
      }
      meter.destroy();
      store.destroy();
    });
  }
}

gradient('FM: norms are those of differences of the loss in f64', async () => {
  const { program, features, store } = await openTiny(device, { model: 'FM', classes: 1 });
  const meter = await LossGradient.open(device, store, program, features, all);
  const { embedding, other } = await meter.norms();
  const p: Record<string, Float64Array> = {};
  for (const { name } of store.list('parameter')) p[name] = Float64Array.from(await store.read(name));
  const rows = tinyRows();
  const loss = (parameters: Parameters) =>
    rows.reduce((sum, row) => {
      const [pairs] = pairsOf(parameters, embeddingsOf(parameters, '', row, 3, 'mean'), 1);
      const z = firstOrderOf(parameters, row, 1)[0] + pairs;
      return sum + (Math.log1p(Math.exp(z)) - row.label * z) / rows.length;
    }, 0);
  const norms = { embedding: [0, 0], other: [0, 0] };
  for (const [name, values] of Object.entries(p)) {
    const sums = norms[name.startsWith('first_order') ? 'other' : 'embedding'];
    values.forEach((value, i) => {
      const at = (step: number) => loss({ ...p, [name]: values.with(i, value + step) });
      sums[0] += value ** 2;
      sums[1] += ((at(1e-5) - at(-1e-5)) / 2e-5) ** 2;
    });
  }
  for (const [measured, sums] of [
    [embedding, norms.embedding],
    [other, norms.other],
  ] as const) {
    assert.ok(Math.abs(measured.weight - Math.sqrt(sums[0])) < 1e-6 * measured.weight);
    assert.ok(Math.abs(measured.gradient - Math.sqrt(sums[1])) < 1e-4 * measured.gradient);
  }
  meter.destroy();
  store.destroy();
});

gradient.after(() => device.destroy());
gradient.run();
