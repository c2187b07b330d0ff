import { Store, compile, type ClipNorm, type Device, type Optimizer, type Plan } from '../../engine/index.js';
import {
  Feed,
  segmentSpecs,
  traceEvaluation,
  traceTraining,
  type Features,
  type Program,
} from '../../models/index.js';

/** How a runner steps. */
export interface RunnerSettings {
  /** Rows of a training step and of an evaluation step. */
  readonly trainBatch: number;
  readonly evalBatch: number;
  /** Rows to train on in an epoch: decides the size of the last, shorter batch. 0 for a runner that only evaluates. */
  readonly trainRows: number;
  readonly optimizer: Optimizer;
  readonly clipNorm?: ClipNorm;
  /** Decides initial values and dropout. */
  readonly seed: number;
  /** Update every embedding row in every step instead of replaying (--dense_adam). */
  readonly denseTables?: boolean;
  /** Steps between two readings of the loss, at most; changes no result. */
  readonly lossInterval?: number;
}

/** Compiled training steps of an epoch. */
export interface Training {
  /** Rows of a full batch. */
  readonly batch: number;
  readonly full: Plan;
  /** For the last batch of the epoch, if that has fewer rows. */
  readonly short: Plan | undefined;
  readonly shortRows: number;
  readonly feed: Feed;
  /** Names of what is read back of each step. */
  readonly records: readonly string[];
}

/** A compiled evaluation step. */
export interface Evaluation {
  readonly plan: Plan;
  readonly feed: Feed;
  readonly classes: number;
}

/** Bytes of inputs that are fed at once: enough steps for one submit, little enough to stay in caches. */
const chunkBytes = 8 << 20;
const maxChunkSteps = 32;

function chunkStepsFor(bytesPerStep: number, most = maxChunkSteps): number {
  return Math.max(1, Math.min(most, maxChunkSteps, Math.floor(chunkBytes / bytesPerStep)));
}

function feedBytes(batch: number, features: Features, segmentWords: number): number {
  return 4 * (batch * features.layout.width + segmentWords);
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
  const batch = Math.min(trainBatch, trainRows);
  const shared = {
    scope: 'train',
    capacity: batch,
    users: features.users,
    items: features.items,
    denseTables,
  };
  const traceFor = (rows: number, chunkSteps: number) =>
    traceTraining(program, { ...shared, rows, chunkSteps });
  const segments = segmentSpecs(traceFor(batch, 1).batch);
  const segmentWords = segments.reduce((sum, { layout }) => sum + layout.stride, 0);
  const chunkSteps = chunkStepsFor(feedBytes(batch, features, segmentWords), lossInterval);
  const plan = (rows: number) => {
    const { tape, losses } = traceFor(rows, chunkSteps);
    const { total, label, rating, penalty } = losses;
    const records = Object.fromEntries(
      Object.entries({ label, rating, penalty }).flatMap(([name, t]) => (t === undefined ? [] : [[name, t]])),
    );
    const compiled = compile(device, store, { tape, loss: total, optimizer, clipNorm, records });
    return { compiled, records: ['loss', ...Object.keys(records)] };
  };
  const shortRows = trainRows % batch;
  const full = plan(batch);
  const short = shortRows > 0 ? plan(shortRows) : undefined;
  const [fullPlan, shortPlan] = await Promise.all([full.compiled, short?.compiled]);
  return {
    batch,
    full: fullPlan,
    short: shortPlan,
    shortRows,
    feed: new Feed(features, { capacity: batch, chunkSteps, segments }),
    records: full.records,
  };
}

/** Traces and compiles the evaluation step. Throws ShapeError, KernelError, DeviceError. */
export async function openEvaluation(
  device: Device,
  store: Store,
  program: Program,
  features: Features,
  { evalBatch }: Pick<RunnerSettings, 'evalBatch'>,
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
  const feed = new Feed(features, { capacity: evalBatch, chunkSteps, segments: [] });
  return { plan, feed, classes: program.supervision.classes };
}
