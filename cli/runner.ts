import {
  Store,
  profileSteps,
  type Device,
  type DispatchTime,
  type NonFinite,
  type Plan,
} from '../engine/index.js';
import { uploadFeatures, type Features, type Program } from '../models/index.js';
import { cutsOf, flushBefore, type Cut } from './runner/cuts.js';
import {
  openEvaluation,
  openTraining,
  type Evaluation,
  type RunnerSettings,
  type Training,
} from './runner/plans.js';

export type { RunnerSettings } from './runner/plans.js';

/** Where an epoch stands. */
export interface EpochPosition {
  /** Steps trained before this epoch. */
  readonly stepsBefore: number;
  /** Steps of this epoch that are already done (a resumed run). */
  readonly done: number;
}

/** Losses of consecutive steps, by part: 'loss' is what is differentiated. */
export interface StepLosses {
  /** Steps [first, last) of the epoch, counted from 0. */
  readonly first: number;
  readonly last: number;
  readonly parts: Readonly<Record<string, Float32Array>>;
}

/** Who watches a pass over rows. */
export interface Watch {
  /** Called with the rows that are done so far. */
  done?(rows: number): void;
  /** When it is aborted the pass ends early, throwing the signal's reason. */
  readonly signal?: AbortSignal;
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
    super(
      `loss: not finite at step ${step} (batch ${batch} of its epoch), ${originText(origin)}; ` +
        'lower learning_rate, or set clip_grad_norm',
    );
  }
}

/** Of several promises that fail together one is enough: the others must not end the process as nobody's. */
function attended<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function originText(origin: NonFinite | undefined): string {
  if (origin === undefined) return 'no single op gives it when the step is repeated';
  const { op, entry, tensor, index, value } = origin;
  if (op === 'parameter') return `as ${tensor}[${index}] is ${value} before it`;
  return `first in ${op} (${entry}): ${tensor}[${index}] = ${value}`;
}

/** Chunks that may run ahead of the host: one runs while the next is prepared. */
const chunksInFlight = 2;

/** An epoch under way. */
interface Pass {
  readonly order: Uint32Array;
  readonly stepsBefore: number;
  readonly lrOf: (step: number) => number;
}

/**
 * A program on a device: compiled training steps (full batch and the epoch's last, shorter one) and
 * evaluation steps over one store of parameters.
 */
export class Runner {
  private constructor(
    readonly device: Device,
    readonly store: Store,
    private readonly settings: RunnerSettings,
    private readonly training: Training | undefined,
    private readonly evaluation: Evaluation,
  ) {}

  /**
   * Compiles everything; afterwards nothing is created on the device. Throws ShapeError, KernelError,
   * DeviceError.
   */
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

  /** Rows of a full training step. */
  get batchRows(): number {
    return this.training?.batch ?? 0;
  }

  /** Bytes of activations while training, and what they would be without sharing. */
  get memory(): { readonly bytes: number; readonly unsharedBytes: number } | undefined {
    return this.training?.full.memory;
  }

  /**
   * Trains the rows `order` of one epoch from `position` on; `lrOf` gives the learning rate of a step counted
   * from 1 over all epochs. Yields the losses of each chunk when they arrive. Once `paused` says so nothing
   * more than a first chunk is submitted, and training can go on from the end of what was yielded last.
   * Throws NonFiniteLoss.
   */
  async *train(
    order: Uint32Array,
    { stepsBefore, done }: EpochPosition,
    lrOf: (step: number) => number,
    paused: () => boolean = () => false,
  ): AsyncGenerator<StepLosses, void, void> {
    const training = this.trained;
    const pass: Pass = { order, stepsBefore, lrOf };
    const steps = Math.ceil(order.length / training.batch);
    training.full.setPosition({ step: stepsBefore + done, cursor: 0, seed: this.settings.seed });
    // What a replay reads back of the steps before.
    this.schedule(pass, flushBefore(done), done);
    const cuts = cutsOf(done, steps, training.chunkSteps);
    const pending: { readonly cut: Cut; readonly losses: Promise<StepLosses> }[] = [];
    const checked = async () => {
      const { losses } = pending.shift() as (typeof pending)[number];
      return this.checked(pass, await losses);
    };
    const { depth } = training.feeding;
    const prepare = (cut: Cut) => attended(this.prepare(pass, cut));
    const ahead = cuts.slice(0, depth).map(prepare);
    for (const [i, cut] of cuts.entries()) {
      if (i > 0 && paused()) break;
      this.submit(pass, cut, (await ahead.shift()) as () => void);
      pending.push({ cut, losses: attended(this.losses(cut)) });
      if (i + depth < cuts.length) ahead.push(prepare(cuts[i + depth]));
      if (pending.length >= chunksInFlight) yield await checked();
    }
    while (pending.length > 0) yield await checked();
  }

  private get trained(): Training {
    if (this.training === undefined) throw new Error('runner: was opened for evaluation only');
    return this.training;
  }

  /** Tells the device what the optimizer needs to know of the steps [first, last) of the epoch. */
  private schedule({ stepsBefore, lrOf }: Pass, first: number, last: number): void {
    const values = Array.from({ length: last - first }, (_, i) => {
      const step = stepsBefore + first + i + 1;
      return [...this.settings.optimizer.schedule(step, lrOf(step))];
    });
    this.trained.full.setSchedule(stepsBefore + first + 1, Float32Array.from(values.flat()));
  }

  /** Prepares a chunk; what it resolves to hands it to the device. */
  private prepare({ order }: Pass, { first, last }: Cut): Promise<() => void> {
    const { batch, feeding } = this.trained;
    return feeding.prepare({ rows: order.subarray(first * batch, last * batch), batch });
  }

  private submit(pass: Pass, { first, last, flush }: Cut, feed: () => void): void {
    const { batch, full, short } = this.trained;
    feed();
    this.schedule(pass, first, last);
    full.rewind();
    const endsShort = last * batch > pass.order.length;
    full.run(last - first - (endsShort ? 1 : 0));
    if (endsShort) short?.run(1);
    if (flush) this.flush();
  }

  private async losses({ first, last }: Cut): Promise<StepLosses> {
    const { full, records } = this.trained;
    const parts = await Promise.all(
      records.map(async (name) => [name, await full.fetch(name, last - first)] as const),
    );
    return { first, last, parts: Object.fromEntries(parts) };
  }

  private async checked(pass: Pass, losses: StepLosses): Promise<StepLosses> {
    const bad = losses.parts.loss.findIndex((loss) => !Number.isFinite(loss));
    if (bad === -1) return losses;
    const batch = losses.first + bad;
    throw new NonFiniteLoss(pass.stepsBefore + batch + 1, batch, await this.diagnose(pass, batch));
  }

  /** Where the loss of a batch stops being finite. The device is halted, but later batches were fed since. */
  private async diagnose(pass: Pass, batch: number): Promise<NonFinite | undefined> {
    const { full, short, batch: rows } = this.trained;
    const feed = await this.prepare(pass, { first: batch, last: batch + 1, flush: false });
    feed();
    full.rewind();
    const isShort = (batch + 1) * rows > pass.order.length;
    return (isShort ? (short as Plan) : full).firstNonFinite();
  }

  /** Brings every row of every table up to the current step: before evaluation and before saving a model. */
  flush(): void {
    this.training?.full.flush();
  }

  /**
   * Trains the first batches of `order` with a time for every dispatch, at most `steps` of them; a list for
   * each step. Throws DeviceError where the adapter measures no time.
   */
  async profile(order: Uint32Array, lr: number, steps: number): Promise<DispatchTime[][]> {
    const { batch, full, chunkSteps } = this.trained;
    const pass: Pass = { order, stepsBefore: 0, lrOf: () => lr };
    const last = Math.min(steps, chunkSteps, Math.floor(order.length / batch));
    full.setPosition({ step: 0, cursor: 0, seed: this.settings.seed });
    this.schedule(pass, 0, last);
    const feed = await this.prepare(pass, { first: 0, last, flush: false });
    feed();
    return profileSteps(full, last, this.device.name);
  }

  /**
   * Scores rows: those of the data set that `order` names, or of `source` (rows of words as features.ts lays
   * them out). Results are in the order of `order`. `watch` follows it, and can end it early.
   */
  async scores(order: Uint32Array, source?: Uint32Array, watch: Watch = {}): Promise<Scores> {
    const { plan, feed, classes } = this.evaluation;
    const { evalBatch } = this.settings;
    const score = new Float32Array(order.length);
    const ratings = classes > 1 ? new Float32Array(order.length * classes) : undefined;
    const perChunk = evalBatch * feed.chunkSteps(order.length, source);
    const pending: Promise<void>[] = [];
    const take = async (from: number, rows: number, steps: number) => {
      const [scores, distribution] = await Promise.all([
        plan.fetch('score', steps),
        ratings === undefined ? undefined : plan.fetch('ratings', steps),
      ]);
      if (classes === 1) score.set(scores.subarray(0, rows), from);
      else for (let i = 0; i < rows; i++) score[from + i] = scores[2 * i + 1];
      if (distribution !== undefined) ratings?.set(distribution.subarray(0, rows * classes), from * classes);
      watch.done?.(from + rows);
    };
    for (let from = 0; from < order.length && !watch.signal?.aborted; from += perChunk) {
      const rows = order.subarray(from, from + perChunk);
      const steps = feed.lay(rows, source);
      plan.rewind();
      plan.run(steps);
      pending.push(attended(take(from, rows.length, steps)));
      if (pending.length >= chunksInFlight) await pending.shift();
    }
    await Promise.all(pending);
    watch.signal?.throwIfAborted();
    return { score, ratings };
  }

  destroy(): void {
    this.training?.feeding.destroy();
    this.evaluation.feed.destroy();
    for (const plan of [this.training?.full, this.training?.short, this.evaluation.plan]) plan?.destroy();
    this.store.destroy();
  }
}
