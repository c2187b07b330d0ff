import * as assert from 'uvu/assert';
import { Store, adam, compile, dropoutMask, type Device, type Tensor } from '../../engine/index.js';
import { Runner } from '../../cli/runner.js';
import {
  Feed,
  arranged,
  models,
  packFeatures,
  segmentSpecs,
  traceTraining,
  uploadChunk,
  uploadFeatures,
  type Model,
  type Program,
} from '../../models/index.js';
import type { OptionValue } from '../../models/model.js';
import { close } from './close.js';
import { numbers } from './numbers.js';
import { tinyDataset, type TinySizes } from './tiny.js';

/** A model on a tiny data set. */
export interface TinyModel {
  readonly model: string;
  readonly options?: Readonly<Record<string, OptionValue>>;
  readonly classes: number;
  readonly ratio?: number;
  readonly labelAggregation?: 'logit_sum' | 'prob_sum';
  readonly embeddingSize?: number;
  readonly labelSmoothing?: number;
  readonly gradientPenalty?: number;
  /** Relative error allowed in a gradient; 1e-4 by default. */
  readonly tolerance?: number;
  /** What the model adds to the label loss: Σ weight · ‖w‖₂. */
  readonly penalty?: (p: Parameters) => number;
}

/** Dropout with the masks of the engine: the n-th call is the n-th dropout that the model traces, p 0 or not. */
export type Drop = (x: readonly (readonly number[])[], p: number) => number[][];

/** From parameters and rows to logits, slowly and in f64. */
export type Twin = (p: Parameters, rows: readonly TinyRow[], drop: Drop) => number[][];

/** Parameters by name, and what is not trained but kept beside them, in f64. */
export type Parameters = Readonly<Record<string, Float64Array>>;

/** The batch as a slow twin of a model sees it: per row the ids and values of every field. */
export interface TinyRow {
  /** Rows of the joint token table. */
  readonly tokens: readonly number[];
  /** Ids of each sequence without padding. */
  readonly sequences: readonly (readonly number[])[];
  readonly floats: readonly { readonly row: number; readonly value: number }[];
  readonly label: number;
  readonly ratingClass: number;
}

export const tinySizes: TinySizes = { rows: 37, users: 6, items: 9 };

function modelOf({ model: wanted }: TinyModel): Model {
  const model = models.find(({ name }) => name === wanted);
  if (model === undefined) throw new Error(`${wanted}: no such model`);
  return model;
}

export const datasetOfTiny = (one: TinyModel) => arranged(modelOf(one), tinyDataset(tinySizes));

export function programOfTiny(one: TinyModel): Program {
  const model = modelOf(one);
  const defaults = Object.fromEntries(
    Object.entries(model.config).map(([name, option]) => [name, option.default]),
  );
  const { classes, ratio = 0.3, labelAggregation = 'logit_sum', embeddingSize = 3, labelSmoothing } = one;
  return {
    model,
    options: { ...defaults, ...one.options },
    embeddingSize,
    schema: datasetOfTiny(one).schema,
    supervision: { classes, ratio, positive: 3, labelAggregation, labelSmoothing },
    gradientPenalty: one.gradientPenalty,
  };
}

/** The rows of the tiny data set, joined by hand. */
export function tinyRows(dataset = tinyDataset(tinySizes)): TinyRow[] {
  const { schema, inter, users, items, label, rating } = dataset;
  return Array.from({ length: tinySizes.rows }, (_, row) => {
    const key = (source: string) => {
      if (source === 'inter') return row;
      return (inter.columns.get(`${source}_id`) as { ids: Uint32Array }).ids[row];
    };
    const column = (name: string, source: string) =>
      (source === 'inter' ? inter : source === 'user' ? users : items)?.columns.get(name) as unknown as {
        ids: Uint32Array;
        values: Float32Array;
      };
    return {
      tokens: schema.token.map(({ name, source, offset }) => column(name, source).ids[key(source)] + offset),
      sequences: schema.tokenSeq.map(({ name, source, maxLength }) => {
        const at = key(source) * maxLength;
        return Array.from(column(name, source).ids.slice(at, at + maxLength)).filter((id) => id !== 0);
      }),
      floats: schema.float.map(({ name, source, offset }) => {
        return { row: offset + 1, value: column(name, source).values[key(source)] };
      }),
      label: label?.[row] ?? NaN,
      ratingClass: (rating?.[row] ?? NaN) - 1,
    };
  });
}

/** Of the store of `checkModel`. */
export const checkSeed = 5;

/** Masks of the first step of a store with this seed. */
export function droppers(): Drop {
  let stream = 0;
  return (x, p) => {
    const width = x[0].length;
    const mask = dropoutMask({ seed: checkSeed, step: 0, stream: stream++ }, p, x.length * width);
    return x.map((row, b) => row.map((value, i) => value * mask[b * width + i]));
  };
}

/** Mean cross-entropy mixed as losses.ts says, from logits [rows,K] in f64, without penalties. */
export function referenceLoss(
  logits: readonly (readonly number[])[],
  rows: readonly TinyRow[],
  one: TinyModel,
): number {
  const { classes, ratio = 0.3, labelAggregation = 'logit_sum', labelSmoothing = 0 } = one;
  const logSumExp = (z: readonly number[]) => {
    const largest = Math.max(...z);
    return largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  };
  // −Σ_k t_k log p_k, t the row's class but for a share that all classes have alike.
  const crossEntropy = (z: readonly number[], target: number) =>
    z.reduce((sum, value, k) => {
      const t = (k === target ? 1 - labelSmoothing : 0) + labelSmoothing / z.length;
      return sum + t * (logSumExp(z) - value);
    }, 0);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  if (classes === 1 && labelSmoothing > 0)
    return mean(rows.map((row, b) => crossEntropy([0, logits[b][0]], row.label)));
  if (classes === 1) {
    const target = (row: TinyRow) => (one.options?.loss_type === 'rating' ? row.ratingClass + 1 : row.label);
    return mean(rows.map((row, b) => logSumExp([0, logits[b][0]]) - target(row) * logits[b][0]));
  }
  const side = (z: readonly number[]) =>
    labelAggregation === 'logit_sum' ? z.reduce((a, b) => a + b, 0) : logSumExp(z);
  const label = rows.map((row, b) => {
    const pair = [side(logits[b].slice(0, 3)), side(logits[b].slice(3))];
    return crossEntropy(pair, row.label);
  });
  const rating = rows.map((row, b) => crossEntropy(logits[b], row.ratingClass));
  return (1 - ratio) * mean(label) + ratio * mean(rating);
}

/**
 * Parameters of a store. Zeros become small numbers: a bias of zero hides its use, and where a whole row was dropped it
 * leaves a relu at its kink, at which there is no difference quotient.
 */
async function parametersOf(store: Store): Promise<Record<string, Float64Array>> {
  const random = numbers(17);
  const p: Record<string, Float64Array> = {};
  for (const { name, shape } of store.list('parameter')) {
    const initial = await store.read(name);
    const values = initial.every((value) => value === 0) ? random(shape).map((x) => 0.1 * x) : initial;
    const written = Float32Array.from(values);
    store.write(name, written);
    p[name] = Float64Array.from(written);
  }
  for (const { name } of store.list('state')) p[name] = Float64Array.from(await store.read(name));
  return p;
}

/**
 * Compares a model's loss and the gradient of every parameter with a slow twin in f64 that maps parameters and rows to
 * logits; gradients by central differences of the twin along a random direction.
 */
export async function checkModel(device: Device, one: TinyModel, twin: Twin): Promise<void> {
  const program = programOfTiny(one);
  const features = packFeatures(datasetOfTiny(one));
  const count = tinySizes.rows;
  const shape = {
    scope: 'train',
    rows: count,
    capacity: count,
    chunkSteps: 1,
    users: features.users,
    items: features.items,
  };
  const { tape, batch, losses, logits } = traceTraining(program, { ...shape, denseTables: true });
  const store = new Store(device, checkSeed);
  const plan = await compile(device, store, { tape, loss: losses.total, keep: [losses.total, logits] });
  uploadFeatures(store, features);
  const feed = new Feed(features, { capacity: count, chunkSteps: 1, segments: segmentSpecs(batch) });
  uploadChunk(
    store,
    'train',
    feed.chunk(
      Uint32Array.from({ length: count }, (_, i) => i),
      count,
    ),
  );
  const p = await parametersOf(store);
  plan.run(1);
  const rows = tinyRows(datasetOfTiny(one));
  const { classes, ratio = 0.3, penalty = () => 0 } = one;
  const loss = (parameters: Parameters) =>
    referenceLoss(twin(parameters, rows, droppers()), rows, one) +
    (classes === 1 ? 1 : 1 - ratio) * penalty(parameters);
  close(await plan.read(logits), twin(p, rows, droppers()).flat(), 1e-5, 'logits');
  close(await plan.read(losses.total), [loss(p)], 1e-5, 'loss');
  const random = numbers(3);
  for (const [tensor, gradient] of plan.gradients) {
    assert.is(gradient.kind, 'dense');
    const read = await plan.read((gradient as { tensor: Tensor }).tensor);
    const u = random([read.length]);
    const at = (h: number) =>
      loss({ ...p, [tensor.name]: p[tensor.name].map((value, i) => value + h * u[i]) });
    const expected = (at(1e-5) - at(-1e-5)) / 2e-5;
    const terms = Array.from(read, (value, i) => value * u[i]);
    // 1e-3: rounding leaves 1e-8 of a gradient that is zero, that of a bias before a batch norm.
    const error =
      Math.abs(terms.reduce((a, b) => a + b, 0) - expected) / Math.hypot(...terms, expected, 1e-3);
    assert.ok(error < (one.tolerance ?? 1e-4), `gradient of ${tensor.name} is off by ${error} of its size`);
  }
  plan.destroy();
  store.destroy();
}

/** Trains a model on the tiny data set for `epochs` epochs; returns the loss of the first and of the last epoch. */
export async function trainTiny(
  device: Device,
  one: TinyModel,
  epochs: number,
  lr: number,
): Promise<[number, number]> {
  const order = Uint32Array.from({ length: tinySizes.rows }, (_, i) => i);
  const runner = await Runner.open(device, programOfTiny(one), packFeatures(datasetOfTiny(one)), {
    trainBatch: 16,
    evalBatch: 16,
    trainRows: tinySizes.rows,
    optimizer: adam(),
    seed: 3,
  });
  const means: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const losses: number[] = [];
    const position = { stepsBefore: epoch * runner.epochSteps, done: 0 };
    for await (const { parts } of runner.train(order, position, () => lr)) losses.push(...parts.loss);
    means.push(losses.reduce((a, b) => a + b, 0) / losses.length);
  }
  runner.destroy();
  return [means[0], means[means.length - 1]];
}
