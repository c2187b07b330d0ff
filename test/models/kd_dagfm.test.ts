import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError, backward } from '../../engine/index.js';
import { models, traceTraining, type Model, type OptionValue } from '../../models/index.js';
import { testDevice } from '../support/device.js';
import { readFixture } from '../support/fixture.js';
import {
  checkModel,
  referenceLoss,
  tinyRows,
  trainTiny,
  type Parameters,
  type TinyModel,
  type TinyRow,
  type Twin,
} from '../support/model_check.js';
import { compareFixture, exceeded } from '../support/parity.js';
import { tinyDataset } from '../support/tiny.js';
import { affine, embeddingsOf, type Rows } from '../support/twins.js';

const golden = 'test/fixtures/golden';
const kdSuite = suite('KD_DAGFM');
const device = await testDevice();
kdSuite.after(() => device.destroy());

kdSuite(
  'teacher: equal to the original in logits, losses, gradients, three Adam steps, predictions',
  async () => {
    assert.equal(exceeded(await compareFixture(device, readFixture(`${golden}/KD_DAGFM.json`))), []);
  },
);

interface Shape {
  readonly dim: number;
  readonly depth: number;
  readonly type: 'inner' | 'outer';
}

/** The student's logits of a row: every edge f → s with f ≤ s on its own. */
function studentOf(p: Parameters, e: Rows, { dim, depth, type }: Shape): number[] {
  const name = 'student_network';
  const fields = e.length;
  const first = e.map((_, i) =>
    Array.from({ length: dim }, (_, d) =>
      e.reduce((sum, field, j) => sum + p[`${name}.connect_layer`][i * fields + j] * field[d], 0),
    ),
  );
  const states = [first];
  for (let l = 0; l < depth; l++) {
    const h = states[l];
    const at = (w: Float64Array, f: number, s: number, d: number) => w[(f * fields + s) * dim + d];
    const [weights, values] = [p[`${name}.p.${l}`], p[`${name}.q.${l}`]];
    const flow = (s: number, d: number) => {
      let sum = 0;
      for (let f = 0; f < fields; f++) {
        if (type === 'inner') sum += f <= s ? at(weights, f, s, d) * h[f][d] : 0;
        else if (f <= s) {
          const term = h[f].reduce((total, x, k) => total + x * at(weights, f, s, k), 0);
          sum += term * at(values, f, s, d);
        }
      }
      return sum;
    };
    states.push(first.map((field, s) => field.map((x, d) => x * flow(s, d))));
  }
  const sums = states.flatMap((state) => state.map((field) => field.reduce((a, b) => a + b, 0)));
  return affine(p, `${name}.linear`, sums);
}

/** The CIN teacher's logits of a row. */
function cinOf(p: Parameters, e: Rows, widths: readonly number[], classes: number): number[] {
  const name = 'teacher_network';
  let x: Rows = e;
  const sums = widths.flatMap((width, i) => {
    const weight = p[`${name}.cin.${i}.conv.weight`];
    x = Array.from({ length: width }, (_, o) =>
      e[0].map((_, d) => {
        const outer = x.flatMap((map) => e.map((field) => map[d] * field[d]));
        const bias = p[`${name}.cin.${i}.conv.bias`][o];
        return outer.reduce((sum, value, k) => sum + value * weight[o * outer.length + k], bias);
      }),
    );
    return x.map((map) => map.reduce((a, b) => a + b, 0));
  });
  return Array.from({ length: classes }, (_, k) =>
    sums.reduce((sum, value, i) => sum + value * p[`${name}.linear`][i * classes + k], 0),
  );
}

const fieldsOf = (p: Parameters, rows: readonly TinyRow[], dim: number) =>
  rows.map((row) => embeddingsOf(p, '', row, dim, 'mean'));

const warm = { warm_up: 'somewhere' };

for (const [classes, dim, depth, type] of [
  [1, 3, 2, 'outer'],
  [1, 6, 3, 'inner'],
  [5, 4, 1, 'outer'],
  [5, 5, 2, 'inner'],
] as const) {
  const twin: Twin = (p, rows) => fieldsOf(p, rows, dim).map((e) => studentOf(p, e, { dim, depth, type }));
  const options = { ...warm, phase: 'finetuning', depth, type, t_depth: 1 };
  kdSuite(
    `student, ${type}, ${classes} classes, D ${dim}, depth ${depth}: loss and gradients are those of the equation in f64`,
    () => checkModel(device, { model: 'KD_DAGFM', classes, embeddingSize: dim, options }, twin),
  );
}

for (const [classes, dim, t_cin] of [
  [1, 3, [3, 2]],
  [5, 4, [4]],
] as const) {
  const twin: Twin = (p, rows) => fieldsOf(p, rows, dim).map((e) => cinOf(p, e, t_cin, classes));
  const options = { teacher: 'CIN', t_cin, depth: 1 };
  kdSuite(
    `teacher CIN [${t_cin}], ${classes} classes, D ${dim}: loss and gradients are those of the equation in f64`,
    () => checkModel(device, { model: 'KD_DAGFM', classes, embeddingSize: dim, options }, twin),
  );
}

const distilled = {
  ...warm,
  phase: 'distillation',
  teacher: 'CIN',
  t_cin: [3, 2],
  depth: 2,
  alpha: 0.1,
  beta: 5,
};

for (const classes of [1, 5]) {
  const dim = 3;
  const twin: Twin = (p, rows) =>
    fieldsOf(p, rows, dim).map((e) => studentOf(p, e, { dim, depth: 2, type: 'outer' }));
  const tiny: TinyModel = { model: 'KD_DAGFM', classes, embeddingSize: dim, options: distilled };
  /** What makes 0.1 · loss + 5 · mean (z_teacher − z)² of the loss alone. */
  const rest = (p: Parameters) => {
    const rows = tinyRows();
    const z = twin(p, rows, (x) => x.map((row) => [...row]));
    const squares = fieldsOf(p, rows, dim).flatMap((e, b) =>
      cinOf(p, e, distilled.t_cin, classes).map((taught, k) => (taught - z[b][k]) ** 2),
    );
    const apart = squares.reduce((sum, square) => sum + square, 0) / squares.length;
    return 5 * apart - 0.9 * referenceLoss(z, rows, tiny);
  };
  kdSuite(`distillation, ${classes} classes: the student learns from labels and teacher`, () => {
    const share = classes === 1 ? 1 : 0.7; // that of penalties
    return checkModel(device, { ...tiny, penalty: (p) => rest(p) / share }, twin);
  });
}

/** A program on the tiny data set, traced for training. */
function traced(options: Readonly<Record<string, OptionValue>>) {
  const model = models.find(({ name }) => name === 'KD_DAGFM') as Model;
  const defaults = Object.entries(model.config).map(([name, { default: value }]) => [name, value] as const);
  return traceTraining(
    {
      model,
      options: { ...Object.fromEntries(defaults), ...options },
      embeddingSize: 3,
      schema: tinyDataset({ rows: 5, users: 3, items: 3 }).schema,
      supervision: { classes: 1, ratio: 0, positive: 3, labelAggregation: 'logit_sum' },
    },
    { scope: 'train', rows: 5, capacity: 5, chunkSteps: 1, users: 4, items: 4 },
  );
}

kdSuite('each phase moves only what it should', () => {
  const moved = (options: Readonly<Record<string, OptionValue>>) => {
    const { gradients } = backward(traced(options).losses.total);
    return [...new Set([...gradients.keys()].map(({ name }) => name.split(/[._]/)[0]))].sort();
  };
  assert.equal(moved({}), ['float', 'teacher', 'token']);
  assert.equal(moved({ ...warm, phase: 'distillation' }), ['student']);
  assert.equal(moved({ ...warm, phase: 'finetuning' }), ['float', 'student', 'token']);
});

kdSuite('every phase has all parameters, so that one begins with those of another', () => {
  const names = (options: Readonly<Record<string, OptionValue>>) =>
    [...traced(options).tape.initial.keys()].map(({ name }) => name);
  assert.equal(names({ ...warm, phase: 'distillation' }), names({}));
  assert.equal(names({ ...warm, phase: 'finetuning' }), names({}));
});

kdSuite('says which options it does not know, and what it begins with', () => {
  const says = (options: Readonly<Record<string, OptionValue>>, message: string) =>
    assert.throws(
      () => traced(options),
      (error: Error) => error instanceof ShapeError && error.message === message,
    );
  says({ teacher: 'Cross' }, 'teacher: "Cross" is neither CrossNet nor CIN; give one of them');
  says({ type: 'both' }, 'type: "both" is neither outer nor inner; give one of them');
  says(
    { phase: 'learning' },
    'phase: "learning" is none of teacher_training, distillation, finetuning; give one of them',
  );
  says(
    { phase: 'distillation' },
    'phase: distillation begins with the weights of another; give them as warm_up',
  );
  const begins = (phase: string) =>
    models.find(({ name }) => name === 'KD_DAGFM')?.initialWeights?.({ ...warm, phase });
  assert.equal(['teacher_training', 'distillation', 'finetuning'].map(begins), [
    null,
    'somewhere',
    'somewhere',
  ]);
});

kdSuite('teacher and student learn 37 rows by heart', async () => {
  for (const [classes, options] of [
    [1, { t_depth: 1 }],
    [5, { ...warm, phase: 'finetuning', depth: 2 }],
  ] as const) {
    const [first, last] = await trainTiny(device, { model: 'KD_DAGFM', classes, options }, 80, 0.02);
    assert.ok(first > 0.5 && last < 0.4, `${classes} classes: loss fell from ${first} to ${last}`);
  }
});

kdSuite.run();
