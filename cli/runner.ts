import {
  Store,
  compile,
  scheduleCapacity,
  type ClipNorm,
  type Device,
  type NonFinite,
  type Optimizer,
  type Plan,
} from '../engine/index.js';
import {
  Feed,
  segmentSpecs,
  traceEvaluation,
  traceTraining,
  uploadChunk,
  uploadFeatures,
  type Features,
  type Program,
} from '../models/index.js';

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
}

/** Where an epoch stands. */
export interface EpochPosition {
  /** Steps trained before this epoch. */
  readonly stepsBefore: number;
  /** Steps of this epoch that are already done (a resumed run). */
  readonly done: number;
}

/** Losses of consecutive steps, by part: 'loss' is what is differentiated. */
export interface StepLosses {
  /** Step of the epoch, from 0, that comes first. */
  readonly first: number;
  readonly parts: Readonly<Record<string, Float32Array>>;
}

/** What a model says of rows. */
export interface Scores {
  /** Probability of a positive label [N]. */
  readonly score: Float32Array;
  /** Probability of each rating [N,K], with several classes. */
  readonly ratings?: Float32Array;
}

/** The loss was not finite: training has stopped, parameters are as they were before that step. */
export class NonFiniteLoss extends Error {
  override readonly name = 'NonFiniteLoss';

  constructor(
    readonly step: number,
    readonly batch: number,
    readonly origin: NonFinite | undefined,
  ) {
    const where =
      origin === undefined
        ? 'no single op gives it when the step is repeated'
        : `first in ${origin.op} (${origin.entry}): ${origin.tensor}[${origin.index}] = ${origin.value}`;
    super(
      `loss: not finite at step ${step} (batch ${batch} of its epoch), ${where}; ` +
        'lower learning_rate, or set clip_grad_norm',
    );
  }
}

/** Bytes of inputs that are fed at once: enough steps for one submit, little enough to stay in caches. */
const chunkBytes = 8 << 20;
const maxChunkSteps = 32;
/** Chunks that may run ahead of the host: one runs while the next is prepared. */
const chunksInFlight = 2;
/** Steps between two flushes of all tables, well within the schedule that a replay reads back. */
const flushSteps = scheduleCapacity / 2;

interface Training {
  readonly full: Plan | undefined;
  readonly short: Plan | undefined;
  readonly shortRows: number;
  readonly feed: Feed;
  readonly records: readonly string[];
}

interface Evaluation {
  readonly plan: Plan;
  readonly feed: Feed;
  readonly classes: number;
}

function chunkStepsFor(bytesPerStep: number): number {
  return Math.max(1, Math.min(maxChunkSteps, Math.floor(chunkBytes / bytesPerStep)));
}

function feedBytes(batch: number, features: Features, segmentWords: number): number {
  return 4 * (batch * features.layout.width + segmentWords);
}

/**
 * A program on a device: compiled training steps (full batch and the epoch's last, shorter one) and evaluation steps
 * over one store of parameters.
 */
export class Runner {
  private constructor(
    readonly device: Device,
    readonly store: Store,
    private readonly settings: RunnerSettings,
    private readonly training: Training | undefined,
    private readonly evaluation: Evaluation,
  ) {}

  /** Compiles everything; afterwards nothing is created on the device. Throws ShapeError, KernelError, DeviceError. */
  static async open(
    device: Device,
    program: Program,
    features: Features,
    settings: RunnerSettings,
  ): Promise<Runner> {
    const store = new Store(device, settings.seed);
    const training =
      settings.trainRows > 0 ? await openTraining(device, store, program, features, settings) : undefined;
    const evaluation = await openEvaluation(device, store, program, features, settings);
    uploadFeatures(store, features);
    return new Runner(device, store, settings, training, evaluation);
  }

  /** Steps of an epoch. */
  get epochSteps(): number {
    return Math.ceil(this.settings.trainRows / this.settings.trainBatch);
  }

  /** Bytes of activations while training, and what they would be without sharing. */
  get memory(): { readonly bytes: number; readonly unsharedBytes: number } | undefined {
    return (this.training?.full ?? this.training?.short)?.memory;
  }

  /** The plan of a full training batch, for profiles. */
  get trainPlan(): Plan | undefined {
    return this.training?.full ?? this.training?.short;
  }

  /**
   * Trains the rows `order` of one epoch from `position` on; `lrOf` gives the learning rate of a step counted from 1 over
   * all epochs. Yields the losses of each chunk when they arrive; whoever stops reading stops training after the
   * chunks in flight, at a step that `EpochPosition.done` can name. Throws NonFiniteLoss.
   */
  async *train(
    order: Uint32Array,
    { stepsBefore, done }: EpochPosition,
    lrOf: (step: number) => number,
  ): AsyncGenerator<StepLosses, void, void> {
    const training = this.training;
    if (training === undefined) throw new Error('runner: was opened for evaluation only');
    const steps = Math.ceil(order.length / this.settings.trainBatch);
    this.setPosition(training, stepsBefore + done);
    const pending: { first: number; losses: Promise<StepLosses> }[] = [];
    for (let first = done; first < steps;) {
      const fence = (Math.floor(first / flushSteps) + 1) * flushSteps;
      const last = Math.min(steps, first + training.feed.spec.chunkSteps, fence);
      this.submit(training, order, first, last, stepsBefore, lrOf);
      if (last === fence || last === steps) this.flush();
      pending.push({ first, losses: this.losses(training, first, last - first) });
      first = last;
      if (pending.length >= chunksInFlight) yield await this.checked(training, pending.shift(), stepsBefore);
    }
    while (pending.length > 0) yield await this.checked(training, pending.shift(), stepsBefore);
  }

  private setPosition({ full, short }: Training, step: number): void {
    (full ?? short)?.setPosition({ step, cursor: 0, seed: this.settings.seed });
  }

  private submit(
    { full, short, shortRows, feed }: Training,
    order: Uint32Array,
    first: number,
    last: number,
    stepsBefore: number,
    lrOf: (step: number) => number,
  ): void {
    const { trainBatch, optimizer } = this.settings;
    const rows = order.subarray(first * trainBatch, Math.min(last * trainBatch, order.length));
    uploadChunk(this.store, 'train', feed.chunk(rows, trainBatch));
    const schedule = Array.from({ length: last - first }, (_, i) => {
      const step = stepsBefore + first + i + 1;
      return [...optimizer.schedule(step, lrOf(step))];
    });
    const plan = full ?? short;
    plan?.setSchedule(stepsBefore + first + 1, Float32Array.from(schedule.flat()));
    plan?.rewind();
    const endsShort = shortRows > 0 && last * trainBatch > order.length;
    full?.run(last - first - (endsShort ? 1 : 0));
    if (endsShort) short?.run(1);
  }

  private async losses(
    { full, short, records }: Training,
    first: number,
    steps: number,
  ): Promise<StepLosses> {
    const plan = full ?? short;
    const parts = await Promise.all(
      records.map(async (name) => [name, await (plan as Plan).fetch(name, steps)] as const),
    );
    return { first, parts: Object.fromEntries(parts) };
  }

  private async checked(
    training: Training,
    chunk: { first: number; losses: Promise<StepLosses> } | undefined,
    stepsBefore: number,
  ): Promise<StepLosses> {
    const losses = await (chunk as { losses: Promise<StepLosses> }).losses;
    const bad = losses.parts.loss.findIndex((loss) => !Number.isFinite(loss));
    if (bad !== -1) {
      const batch = losses.first + bad;
      const isShort = batch === this.epochSteps - 1 && training.shortRows > 0;
      const plan = isShort ? training.short : training.full;
      throw new NonFiniteLoss(stepsBefore + batch + 1, batch, await plan?.firstNonFinite());
    }
    return losses;
  }

  /** Brings every row of every table up to the current step: before evaluation and before saving a model. */
  flush(): void {
    (this.training?.full ?? this.training?.short)?.flush();
  }

  /**
   * Scores rows: those of the data set that `order` names, or of `source` (rows of words as features.ts lays them
   * out). Results are in the order of `order`.
   */
  async scores(order: Uint32Array, source?: Uint32Array): Promise<Scores> {
    const { plan, feed, classes } = this.evaluation;
    const { evalBatch } = this.settings;
    const score = new Float32Array(order.length);
    const ratings = classes > 1 ? new Float32Array(order.length * classes) : undefined;
    const perChunk = feed.spec.chunkSteps * evalBatch;
    const pending: Promise<void>[] = [];
    const take = async (from: number, rows: number, steps: number) => {
      const [scores, distribution] = await Promise.all([
        plan.fetch('score', steps),
        ratings === undefined ? undefined : plan.fetch('ratings', steps),
      ]);
      for (let i = 0; i < rows; i++) score[from + i] = classes === 1 ? scores[i] : scores[2 * i + 1];
      if (distribution !== undefined) ratings?.set(distribution.subarray(0, rows * classes), from * classes);
    };
    for (let from = 0; from < order.length; from += perChunk) {
      const rows = order.subarray(from, from + perChunk);
      const chunk = feed.chunk(rows, evalBatch, source);
      uploadChunk(this.store, 'eval', chunk);
      plan.rewind();
      plan.run(chunk.steps);
      pending.push(take(from, rows.length, chunk.steps));
      if (pending.length >= chunksInFlight) await pending.shift();
    }
    await Promise.all(pending);
    return { score, ratings };
  }

  destroy(): void {
    for (const plan of [this.training?.full, this.training?.short, this.evaluation.plan]) plan?.destroy();
    this.store.destroy();
  }
}

async function openTraining(
  device: Device,
  store: Store,
  program: Program,
  features: Features,
  settings: RunnerSettings,
): Promise<Training> {
  const { trainBatch, trainRows, optimizer, clipNorm, denseTables } = settings;
  const capacity = Math.min(trainBatch, trainRows);
  const shared = { scope: 'train', capacity, users: features.users, items: features.items, denseTables };
  const traceFor = (rows: number, chunkSteps: number) =>
    traceTraining(program, { ...shared, rows, chunkSteps });
  const segments = segmentSpecs(traceFor(capacity, 1).batch);
  const segmentWords = segments.reduce((sum, { layout }) => sum + layout.stride, 0);
  const chunkSteps = chunkStepsFor(feedBytes(capacity, features, segmentWords));
  const plan = (rows: number) => {
    const { tape, losses } = traceFor(rows, chunkSteps);
    const { total, label, rating, penalty } = losses;
    const records = Object.fromEntries(
      Object.entries({ label, rating, penalty }).flatMap(([name, t]) => (t === undefined ? [] : [[name, t]])),
    );
    const compiled = compile(device, store, { tape, loss: total, optimizer, clipNorm, records });
    return { compiled, records: ['loss', ...Object.keys(records)] };
  };
  const shortRows = trainRows % capacity;
  const full = plan(capacity);
  const short = shortRows > 0 ? plan(shortRows) : undefined;
  return {
    full: await full.compiled,
    short: await short?.compiled,
    shortRows,
    feed: new Feed(features, { capacity, chunkSteps, segments }),
    records: full.records,
  };
}

async function openEvaluation(
  device: Device,
  store: Store,
  program: Program,
  features: Features,
  { evalBatch }: RunnerSettings,
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
