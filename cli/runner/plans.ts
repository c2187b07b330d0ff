import { hostKernels } from '../../engine/adapter.js';
import {
  Store,
  compile,
  type ClipNorm,
  type Device,
  type Optimizer,
  type Plan,
  type Tensor,
} from '../../engine/index.js';
import {
  DeviceFeed,
  Feed,
  feedsItself,
  segmentSpecs,
  traceEvaluation,
  traceTraining,
  type Features,
  type Losses,
  type Program,
  type FeedSpec,
  type TracedTraining,
} from '../../models/index.js';
import { feedThreads } from './feeder.js';
import { deviceFeeding, evaluationFeed, hostFeeding, type EvaluationFeed, type Feeding } from './feeding.js';

/** How a runner steps. */
export interface RunnerSettings {
  /** Rows of a training step and of an evaluation step. */
  readonly trainBatch: number;
  readonly evalBatch: number;
  /**
   * Rows to train on in an epoch: decides the size of the last, shorter batch. 0 for a runner that only
   * evaluates.
   */
  readonly trainRows: number;
  readonly optimizer: Optimizer;
  readonly clipNorm?: ClipNorm;
  /** Decides initial values and dropout. */
  readonly seed: number;
  /** Update every embedding row in every step instead of replaying (--dense_adam). */
  readonly denseTables?: boolean;
  /** Steps between two readings of the loss, at most; changes no result. */
  readonly lossInterval?: number;
  /** Threads of the host that lay out batches; by default the device does it, or as many as pay on this machine. */
  readonly feedThreads?: number;
}

/** Compiled training steps of an epoch. */
export interface Training {
  /** Rows of a full batch. */
  readonly batch: number;
  readonly full: Plan;
  /** For the last batch of the epoch, if that has fewer rows. */
  readonly short: Plan | undefined;
  readonly chunkSteps: number;
  readonly feeding: Feeding;
  /** Names of what is read back of each step. */
  readonly records: readonly string[];
}

/** A compiled evaluation step. */
export interface Evaluation {
  readonly plan: Plan;
  readonly feed: EvaluationFeed;
  readonly classes: number;
}

/** Bytes of inputs that are fed at once: enough steps for one submit, little enough to stay in caches. */
const chunkBytes = 8 << 20;
const maxChunkSteps = 32;
/** Chunks that an epoch is cut into at least, so that one is laid out while another runs. */
const chunksPerEpoch = 4;

function chunkStepsFor(bytesPerStep: number, ...most: readonly number[]): number {
  return Math.max(1, Math.min(maxChunkSteps, Math.floor(chunkBytes / bytesPerStep), ...most));
}

function feedBytes(batch: number, features: Features, segmentWords: number): number {
  return 4 * (batch * features.layout.width + segmentWords);
}

/** Parts of the loss that are read back of each step, beside the 'loss' itself. */
function recordsOf({ label, rating, penalty }: Losses): Readonly<Record<string, Tensor>> {
  const parts = Object.entries({ label, rating, penalty });
  return Object.fromEntries(
    parts.flatMap(([name, tensor]) => (tensor === undefined ? [] : [[name, tensor]])),
  );
}

/** Traces and compiles the training steps. Throws ShapeError, KernelError, DeviceError. */
export async function openTraining(
  device: Device,
  store: Store,
  program: Program,
  features: Features,
  settings: RunnerSettings,
): Promise<Training> {
  const { trainBatch, trainRows, optimizer, clipNorm, denseTables, lossInterval } = settings;
  const { users, items } = features;
  const batch = Math.min(trainBatch, trainRows);
  const joined = settings.feedThreads === undefined && feedsItself(store, features);
  const sizes = { scope: 'train', capacity: batch, users, items, denseTables, joined };
  const traceOf = (rows: number, chunkSteps: number) =>
    traceTraining(program, { ...sizes, rows, chunkSteps });
  // Threads of a CPU do not run in lockstep, and a norm of all rows needs an order that a resumed run repeats.
  const byAge = device.kind !== 'cpu' && clipNorm === undefined;
  const segments = segmentSpecs(traceOf(batch, 1).batch, byAge);
  const segmentWords = segments.reduce((sum, { layout }) => sum + layout.stride, 0);
  const parts = Math.ceil(trainRows / batch / chunksPerEpoch);
  const stepBytes = feedBytes(batch, features, segmentWords);
  const chunkSteps = chunkStepsFor(stepBytes, parts, lossInterval ?? maxChunkSteps);
  const traced = traceOf(batch, chunkSteps);
  const planOf = ({ tape, losses }: TracedTraining) =>
    compile(device, store, { tape, loss: losses.total, optimizer, clipNorm, records: recordsOf(losses) });
  const shortRows = trainRows % batch;
  const shortPlan = shortRows > 0 ? planOf(traceOf(shortRows, chunkSteps)) : undefined;
  const [full, short] = await Promise.all([planOf(traced), shortPlan]);
  const spec = { capacity: batch, chunkSteps, segments };
  const feeding = joined
    ? deviceFeeding(await DeviceFeed.open(store, 'train', features, spec))
    : hostFeedingOf(store, features, spec, settings);
  const records = ['loss', ...Object.keys(recordsOf(traced.losses))];
  return { batch, full, short, chunkSteps, feeding, records };
}

function hostFeedingOf(
  store: Store,
  features: Features,
  spec: FeedSpec,
  settings: Pick<RunnerSettings, 'feedThreads' | 'trainRows'>,
): Feeding {
  const threads = settings.feedThreads ?? feedThreads(store.device.kind, settings.trainRows);
  return hostFeeding(store, 'train', new Feed(features, spec, hostKernels()), features, threads);
}

/** Traces and compiles the evaluation step. Throws ShapeError, KernelError, DeviceError. */
export async function openEvaluation(
  device: Device,
  store: Store,
  program: Program,
  features: Features,
  { evalBatch, trainRows, feedThreads: threads }: RunnerSettings,
): Promise<Evaluation> {
  const chunkSteps = chunkStepsFor(feedBytes(evalBatch, features, 0));
  const sizes = { scope: 'eval', rows: evalBatch, capacity: evalBatch, chunkSteps };
  const { tape, prediction } = traceEvaluation(program, {
    ...sizes,
    users: features.users,
    items: features.items,
  });
  const { score, ratings } = prediction;
  const plan = await compile(device, store, {
    tape,
    records: ratings === undefined ? { score } : { score, ratings },
  });
  const spec = { capacity: evalBatch, chunkSteps, segments: [] };
  // Who only evaluates mostly brings rows of its own.
  const byDevice = trainRows > 0 && threads === undefined && feedsItself(store, features);
  const feed = await evaluationFeed(store, features, spec, byDevice);
  return { plan, feed, classes: program.supervision.classes };
}
