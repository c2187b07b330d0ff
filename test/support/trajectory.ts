import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { adam, type Device } from '../../engine/index.js';
import { Runner } from '../../cli/runner.js';
import { packFeatures } from '../../models/index.js';
import { close } from './close.js';
import {
  datasetOf,
  programOf,
  readFixture,
  schemaOf,
  values,
  type GoldenHyper,
  type GoldenTensor,
  type GoldenTensors,
} from './fixture.js';

/** Twelve Adam steps of the original over four batches, in which most embedding rows are missing from some. */
interface Trajectory {
  readonly lr: number;
  readonly hyper: GoldenHyper;
  readonly batch_rows: readonly GoldenTensor[];
  readonly train_rows: Readonly<Record<string, GoldenTensor>>;
  readonly init: GoldenTensors;
  readonly f64: {
    readonly loss_per_step: readonly number[];
    readonly params_after_12: GoldenTensors;
    readonly valid_predict: GoldenTensor;
  };
  readonly valid_rows: Readonly<Record<string, GoldenTensor>>;
}

/** Columns of both parts under one another: the training rows, then the validation rows. */
function stack(a: Trajectory['train_rows'], b: Trajectory['valid_rows']): Record<string, GoldenTensor> {
  return Object.fromEntries(
    Object.entries(a).map(([name, { shape, data }]) => {
      const other = b[name];
      return [
        name,
        { shape: [shape[0] + other.shape[0], ...shape.slice(1)], data: [...data, ...other.data] },
      ];
    }),
  );
}

/**
 * Repeats a trajectory of `model` through the runner, whose tables are updated by rows: the losses of all steps, the
 * parameters after the last (but those that `noisy` names) and the predictions on rows never trained on.
 */
export async function checkTrajectory(
  device: Device,
  model: string,
  path: string,
  fieldsFrom: string,
  allowed: {
    readonly loss: number;
    readonly parameter: number;
    readonly prediction: number;
    readonly noisy?: RegExp;
  },
): Promise<void> {
  const trajectory = JSON.parse(readFileSync(path, 'utf8')) as Trajectory;
  const schema = schemaOf(readFixture(fieldsFrom).fields);
  const dataset = datasetOf(schema, stack(trajectory.train_rows, trajectory.valid_rows));
  const batches = trajectory.batch_rows.map((rows) => Uint32Array.from(values(rows)));
  const [{ length: batch }] = batches;
  const runner = await Runner.open(
    device,
    programOf(model, trajectory.hyper, schema),
    packFeatures(dataset),
    {
      trainBatch: batch,
      evalBatch: 64,
      trainRows: batch * batches.length,
      optimizer: adam(),
      seed: 1,
    },
  );
  for (const [name, tensor] of Object.entries(trajectory.init)) {
    if (tensor !== null && runner.store.has(name))
      runner.store.write(name, Float32Array.from(values(tensor)));
  }
  const { loss_per_step, params_after_12, valid_predict } = trajectory.f64;
  const repeats = loss_per_step.length / batches.length;
  const order = Uint32Array.from(
    Array.from({ length: repeats }, () => batches.map((rows) => [...rows])).flat(2),
  );
  const losses: number[] = [];
  for await (const { parts } of runner.train(order, { stepsBefore: 0, done: 0 }, () => trajectory.lr)) {
    losses.push(...parts.loss);
  }
  close(losses, loss_per_step, allowed.loss, 'loss');
  for (const [name, tensor] of Object.entries(params_after_12)) {
    if (tensor === null || allowed.noisy?.test(name)) continue;
    // What the original declares and never uses has no place here; it does not move there either.
    const unused = !runner.store.has(name) && trajectory.init[name];
    const ours = unused ? values(unused) : await runner.store.read(name);
    close(ours, values(tensor), unused ? 0 : allowed.parameter, name);
  }
  const trained = trajectory.train_rows.label.shape[0];
  const valid = Uint32Array.from({ length: valid_predict.shape[0] }, (_, i) => trained + i);
  const { score } = await runner.scores(valid);
  assert.is(score.length, valid.length);
  close(score, values(valid_predict), allowed.prediction, 'prediction');
  runner.destroy();
}
