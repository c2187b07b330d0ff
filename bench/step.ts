import { hostKernels } from '../engine/adapter.js';
import {
  Store,
  adam,
  compile,
  profileSteps,
  profileTable,
  type Device,
  type Dispatch,
  type KernelTime,
  type Optimizer,
  type Plan,
  type Tensor,
} from '../engine/index.js';
import {
  DeviceFeed,
  Feed,
  feedsItself,
  models,
  packFeatures,
  segmentSpecs,
  traceTraining,
  uploadChunk,
  uploadFeatures,
  type FeedSpec,
  type Features,
  type OptionValue,
  type Program,
  type SegmentSpec,
} from '../models/index.js';
import { benchDataset, type Popularity } from './data.js';
import { measure, type Candidate, type Effort } from './measure.js';
import { copyCandidate, type Peaks } from './peaks.js';
import { rowOf, type StepRow } from './report.js';

/** A training step to measure. */
export interface StepSizes {
  readonly model: string;
  /** 1 is binary. */
  readonly classes: number;
  readonly batch: number;
  /** Rows of the joint embedding table, over 7 fields. */
  readonly vocabulary: number;
  readonly embeddingSize: number;
  /** How often ids are named; squares if it is left out. */
  readonly ids?: Popularity;
  /** Options of the model that are not its defaults. */
  readonly options?: Readonly<Record<string, OptionValue>>;
}

/** A compiled training step with data. */
export interface OpenStep {
  readonly candidate: Candidate;
  readonly dispatches: number;
  /** Distinct rows of the table that a step names, on average. */
  readonly namedRows: number;
  readonly memory: Plan['memory'];
  /** Milliseconds in which a step is laid out: rows gathered, ids joined and grouped; the least of a few tries. */
  feedMs(): Promise<number>;
  /** Time of each kernel, or undefined where the adapter has no timestamps. */
  kernels(steps: number): Promise<KernelTime[] | undefined>;
  destroy(): void;
}

const chunkSteps = 32;

/** The program of a step. Throws Error for a model that is not there. */
export function programOf(
  { model, classes, embeddingSize, options = {} }: StepSizes,
  { schema }: Pick<Features, 'schema'>,
): Program {
  const found = models.find(({ name }) => name === model);
  if (found === undefined) throw new Error(`bench: no model is called ${model}`);
  const defaults = Object.fromEntries(Object.entries(found.config).map(([name, one]) => [name, one.default]));
  const supervision = { classes, ratio: 0.5, positive: 3, labelAggregation: 'logit_sum' } as const;
  return { model: found, options: { ...defaults, ...options }, embeddingSize, schema, supervision };
}

/** Words of a tensor that one dispatch of a step can touch: rows that the step names, its part of what is fed. */
function touched({ kind, shape, name }: Tensor, batch: number, namedRows: number): number {
  const words = shape.reduce((product, axis) => product * axis, 1);
  const width = words / shape[0];
  if (name.endsWith('state')) return 0;
  if (name.includes('walk.')) return words;
  if (kind === 'input') return name.includes('/') ? words / chunkSteps : Math.min(words, batch * width);
  return kind === 'parameter' || kind === 'slot' ? Math.min(words, namedRows * width) : words;
}

function bytesOf(dispatches: readonly Dispatch[], batch: number, namedRows: number): number {
  const tensors = dispatches.flatMap(({ buffers }) => Object.values(buffers));
  return 4 * tensors.reduce((sum, t) => sum + touched(t, batch, namedRows), 0);
}

/** Multiply-adds of the linear maps count; the rest is little beside the bytes it reads. */
function flopsOf(dispatches: readonly Dispatch[]): number {
  const products = dispatches.filter(({ entry }) => /^linear_(forward|backward_[xw])/.test(entry));
  return products.reduce((sum, { dims: { rows, inner, cols } }) => sum + 2 * rows * inner * cols, 0);
}

/** Distinct rows that a step of the chunk names, on average; the first word of each block counts them. */
async function namedRows(store: Store, { name, layout }: SegmentSpec): Promise<number> {
  const blocks = await store.read(`train/segments.${name}`);
  const rows = Array.from({ length: chunkSteps }, (_, step) => blocks[step * layout.stride]);
  return Math.round(rows.reduce((sum, count) => sum + count, 0) / chunkSteps);
}

/** Equal widths as 512×3, others as 256-64-8. */
const widthsText = (widths: readonly number[]) =>
  widths.every((width) => width === widths[0]) ? `${widths[0]}×${widths.length}` : widths.join('-');

/** What a table calls the model of a step: `NFM 512×3 multi_cls=5`. */
export function modelText({ model, classes, options = {} }: StepSizes): string {
  const { mlp_hidden_size: widths, dropout_prob: dropout } = options;
  const layers = Array.isArray(widths) ? ` ${widthsText(widths as readonly number[])}` : '';
  return `${model}${layers}${dropout ? ` dropout ${dropout}` : ''}${classes > 1 ? ` multi_cls=${classes}` : ''}`;
}

/** What a table calls the sizes of a step. */
export const shapeText = ({ batch, vocabulary, embeddingSize, ids }: StepSizes) =>
  `B ${batch}, F 7, D ${embeddingSize}, V ${vocabulary}${ids === 'zipf' ? ', Zipf' : ''}`;

function candidateOf(
  plan: Plan,
  schedule: (steps: number) => void,
  sizes: StepSizes,
  named: number,
): Candidate {
  const { batch } = sizes;
  return {
    name: `${modelText(sizes)} step`,
    shape: shapeText(sizes),
    bytes: bytesOf(plan.dispatches, batch, named),
    flops: flopsOf(plan.dispatches),
    most: chunkSteps,
    submit(times) {
      schedule(times);
      plan.rewind();
      plan.run(times);
    },
  };
}

/** Tells a plan, as often as it is called, what the optimizer needs to know of the next steps. */
function scheduler(plan: Plan, optimizer: Optimizer): (steps: number) => void {
  let done = 0;
  return (steps) => {
    const values = Array.from({ length: steps }, (_, i) => [...optimizer.schedule(done + i + 1, 0.001)]);
    plan.setSchedule(done + 1, Float32Array.from(values.flat()));
    done += steps;
  };
}

/** Compiles a training step with Adam and feeds it `chunkSteps` batches. */
export async function openStep(device: Device, sizes: StepSizes): Promise<OpenStep> {
  const { batch, vocabulary, ids } = sizes;
  const features = packFeatures(benchDataset(chunkSteps * batch, vocabulary, ids));
  const { users, items } = features;
  const store = new Store(device, 1);
  const joined = feedsItself(store, features);
  const trace = { scope: 'train', rows: batch, capacity: batch, chunkSteps, users, items, joined };
  const { tape, batch: traced, losses } = traceTraining(programOf(sizes, features), trace);
  const optimizer = adam({ tables: 'fast' });
  const plan = await compile(device, store, { tape, loss: losses.total, optimizer });
  uploadFeatures(store, features);
  const schedule = scheduler(plan, optimizer);
  const segments = segmentSpecs(traced, device.kind !== 'cpu');
  const lay = await layerOf(store, features, { capacity: batch, chunkSteps, segments }, joined);
  const order = Uint32Array.from({ length: chunkSteps * batch }, (_, i) => i);
  lay(order);
  const named = await namedRows(store, segments[0]);
  return {
    candidate: candidateOf(plan, schedule, sizes, named),
    dispatches: plan.dispatches.length,
    namedRows: named,
    memory: plan.memory,
    feedMs: () => feedMs(device, () => lay(order)),
    async kernels(steps) {
      schedule(steps);
      plan.rewind();
      return (await plan.profile()) && profileTable(await profileSteps(plan, steps, device.name));
    },
    destroy() {
      plan.destroy();
      store.destroy();
    },
  };
}

/** Lays out chunks of full batches: on the device, or on the host. */
async function layerOf(
  store: Store,
  features: Features,
  spec: FeedSpec,
  onDevice: boolean,
): Promise<(order: Uint32Array) => void> {
  if (onDevice) {
    const feed = await DeviceFeed.open(store, 'train', features, spec);
    return (order) => void feed.lay(order, spec.capacity);
  }
  const feed = new Feed(features, spec, hostKernels());
  return (order) => uploadChunk(store, 'train', feed.chunk(order, spec.capacity));
}

async function feedMs(device: Device, lay: () => void): Promise<number> {
  const tries: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    lay();
    await device.settled();
    tries.push((performance.now() - start) / chunkSteps);
  }
  return Math.min(...tries);
}

/** Steps of the profile that says which kernels take the time. */
const profiledSteps = 8;

/** Measures a step in turns with a plain copy of as many bytes. */
export async function benchStep(
  device: Device,
  sizes: StepSizes,
  peaks: Peaks,
  effort: Effort,
): Promise<StepRow> {
  const step = await openStep(device, sizes);
  const copy = await copyCandidate(device, step.candidate.bytes / 2);
  const [timed, copied] = await measure(device, [step.candidate, copy.candidate], effort);
  const row: StepRow = {
    ...rowOf(timed, peaks),
    dispatches: step.dispatches,
    namedRows: step.namedRows,
    activationBytes: step.memory.bytes,
    feedMs: await step.feedMs(),
    ofCopy: timed.medianMs / copied.medianMs,
    kernels: await step.kernels(profiledSteps),
  };
  copy.release();
  step.destroy();
  return row;
}

/** The steps that are measured by default. */
export const usualSteps: readonly StepSizes[] = [12_000, 1_000_000].flatMap((vocabulary) =>
  ['FM', 'LR', 'NFM'].flatMap((model) =>
    [1, 5].map((classes) => ({ model, classes, batch: 4096, vocabulary, embeddingSize: 16 })),
  ),
);
