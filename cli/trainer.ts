import type { BatchOrder } from '../data/dataset.js';
import type { LrSchedule } from '../engine/index.js';
import { takeTensors, type Progress as Saved, type Tensors } from './checkpoint.js';
import type { TrainConfig } from './config/train_config.js';
import { isOver, judge, noScore, type StoppingRule } from './early_stopping.js';
import { evaluatingLine, resultLine, trainingLine, type Logger } from './logger.js';
import type { Progress } from './progress.js';
import type { Runner } from './runner.js';
import { Behind } from './train/behind.js';
import { evaluate, type Judge, type Part } from './train/evaluation.js';
import type { Keeper } from './train/keeper.js';
import { lipschitzLine, type LipschitzMeter, type LipschitzRecord } from './train/lipschitz.js';
import { advanced, shownLosses } from './train/losses.js';
import type { Metrics, RunState } from './train/state.js';

/** What a run works with. */
export interface Session {
  readonly config: TrainConfig;
  readonly runner: Runner;
  /** Rows to train on, in the order of the split, and what orders them. */
  readonly train: Uint32Array;
  readonly order: BatchOrder;
  readonly learningRate: LrSchedule;
  readonly valid: Part | null;
  readonly test: Part | null;
  readonly keeper: Keeper;
  /** Measures each epoch, if that was asked for. */
  readonly meter?: Pick<LipschitzMeter, 'measure' | 'best'> | null;
  readonly logger: Logger;
  readonly progress: Progress;
  /** Aborted when the run is to stop as soon as it can go on later. */
  readonly signal: AbortSignal;
  /** Longest time that a crash may cost. */
  readonly saveEveryMs: number;
}

/** A session under way: files are written while the next epoch is trained. */
interface Fitting extends Session {
  readonly writing: Behind;
}

/** Rows that were trained, and how long that took. */
export interface Timing {
  readonly rows: number;
  readonly seconds: number;
}

const ruleOf = ({ valid_metric_bigger, stopping_step }: TrainConfig): StoppingRule => ({
  bigger: valid_metric_bigger,
  patience: stopping_step,
});

/** The state of a run before its first step. */
export function freshRun(config: TrainConfig, order: BatchOrder): RunState {
  return {
    epoch: 0,
    done: 0,
    losses: {},
    step: 0,
    order: order.exportState(),
    stopping: noScore(ruleOf(config)),
    best: null,
    history: [],
  };
}

/**
 * Trains as RecBole does, from `start` on: epochs until they are all done or early stopping ends them, the
 * best model kept. Returns the state at the end, or once the signal is aborted; `keeper` has kept either.
 * Throws NonFiniteLoss, DeviceError, or the system's error where something cannot be written.
 */
export async function fit(session: Session, start: RunState): Promise<{ state: RunState; total: Timing }> {
  const writing = new Behind();
  try {
    const done = await fitEpochs({ ...session, writing }, start);
    await writing.done();
    return done;
  } finally {
    // Where training fails what was begun is written still, and that failure is the one to tell.
    await writing.done().catch(() => {});
  }
}

async function fitEpochs(session: Fitting, start: RunState): Promise<{ state: RunState; total: Timing }> {
  const { config, signal } = session;
  session.order.importState(start.order);
  let state = start;
  let total: Timing = { rows: 0, seconds: 0 };
  while (state.epoch < config.epochs && !isOver(state.stopping, ruleOf(config)) && !signal.aborted) {
    const { trained, timing } = await trainEpoch(session, state);
    total = { rows: total.rows + timing.rows, seconds: total.seconds + timing.seconds };
    state = signal.aborted ? trained : await finishEpoch(session, trained, timing);
  }
  if (signal.aborted) await keepPart(session, state);
  else await closeRun(session, state);
  return { state, total };
}

/** Trains what is left of an epoch; stops early if the signal is aborted. */
async function trainEpoch(session: Fitting, start: RunState): Promise<{ trained: RunState; timing: Timing }> {
  const { config, runner, train, progress, signal } = session;
  const order = config.shuffle ? session.order.next() : train;
  const rowsOf = ({ done }: RunState) => Math.min(done * runner.batchRows, order.length);
  const lrOf = (step: number) => session.learningRate(step, start.epoch);
  const startedMs = performance.now();
  let state = start;
  progress.begin(`train epoch ${state.epoch}`, order.length);
  while (state.done < runner.epochSteps && !signal.aborted) {
    const saveMs = performance.now() + session.saveEveryMs;
    const paused = () => signal.aborted || performance.now() >= saveMs;
    const position = { stepsBefore: state.step - state.done, done: state.done };
    for await (const losses of runner.train(order, position, lrOf, paused)) {
      state = advanced(state, losses);
      progress.update(rowsOf(state), state.losses.loss / state.done);
    }
    const isPart = state.done < runner.epochSteps && !signal.aborted;
    if (isPart) await keepPart(session, state);
  }
  progress.end();
  const seconds = (performance.now() - startedMs) / 1000;
  return { trained: state, timing: { rows: rowsOf(state) - rowsOf(start), seconds } };
}

/**
 * Evaluates, judges and keeps an epoch; returns `trained` as it is if the signal is aborted before that is
 * done.
 */
async function finishEpoch(session: Fitting, trained: RunState, timing: Timing): Promise<RunState> {
  const { config, logger, order, learningRate } = session;
  const { epoch, losses, step } = trained;
  const shown = shownLosses(losses, config);
  logger.info(trainingLine(epoch, timing.seconds, shown, config.loss_decimal_place));
  const startedMs = performance.now();
  const valid = await evaluateEpoch(session, epoch);
  if (session.signal.aborted) return trained;
  const verdict =
    valid === null ? null : judge(trained.stopping, epoch, valid[config.valid_metric], ruleOf(config));
  const state: RunState = {
    epoch: epoch + 1,
    done: 0,
    losses: {},
    step,
    order: order.exportState(),
    stopping: verdict?.state ?? trained.stopping,
    best: verdict?.improved ? valid : trained.best,
    history: [...trained.history, { epoch, losses, valid }],
  };
  if (valid !== null && verdict !== null) {
    const seconds = (performance.now() - startedMs) / 1000;
    logger.info(evaluatingLine(epoch, seconds, valid[config.valid_metric]));
    logger.info(resultLine('valid result', valid, config.metric_decimal_place));
  }
  const rate = { learning_rate: learningRate(step, epoch), ...rateOf(timing) };
  const measured = await measureEpoch(session, epoch, valid);
  logger.metrics({ event: 'epoch', ...state.history.at(-1), train_loss: shown, ...rate, ...measured });
  const progress = await saved(session, state, valid);
  await keep(session, progress, verdict?.improved ?? false);
  return state;
}

/** Begins to write the state to go on from; before it the model, if it is the best. */
function keep({ keeper, writing }: Fitting, progress: Saved, isBest: boolean): Promise<void> {
  return writing.begin(async () => {
    if (isBest) await keeper.keepBest(modelOf(progress));
    await keeper.keepLast(progress);
  });
}

/** The same in the middle of an epoch. */
async function keepPart(session: Fitting, state: RunState): Promise<void> {
  await keep(session, await saved(session, state, null), false);
}

/** What the meter says of the epoch, a line of it shown; nothing without a meter. */
async function measureEpoch(
  { meter, logger }: Session,
  epoch: number,
  valid: Metrics | null,
): Promise<LipschitzRecord | undefined> {
  if (!meter) return undefined;
  const startedMs = performance.now();
  const record = await meter.measure(valid);
  logger.info(lipschitzLine(epoch, (performance.now() - startedMs) / 1000, record));
  return record;
}

const rateOf = ({ rows, seconds }: Timing) => ({
  seconds,
  examples_per_second: seconds > 0 ? Math.round(rows / seconds) : 0,
});

/**
 * Metrics of the valid part where this epoch is evaluated; null where it is not, or once the signal is
 * aborted.
 */
async function evaluateEpoch(session: Session, epoch: number): Promise<Metrics | null> {
  const { eval_step } = session.config;
  if (session.valid === null || eval_step === 0 || (epoch + 1) % eval_step !== 0) return null;
  return judged(session, session.valid);
}

/** Metrics of a part, whose scores `scored` may see; null once the signal is aborted. */
export async function judged(
  session: Session,
  part: Part,
  scored?: Judge['scored'],
): Promise<Metrics | null> {
  const { config, runner, progress, signal } = session;
  progress.begin(`evaluate ${part.name}`, part.rows.length);
  try {
    return await evaluate(runner, part, config, { signal, scored, done: (rows) => progress.update(rows) });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    progress.end();
  }
}

/** Everything that goes into the file to go on from. */
async function saved({ runner }: Session, run: RunState, valid: Metrics | null): Promise<Saved> {
  const tensors = await takeTensors(runner.store, 'parameter', 'state', 'slot');
  return { epochs: run.epoch, valid, run, tensors };
}

/** What of it belongs to the model alone. */
function modelOf({ epochs, valid, tensors }: Saved): Saved {
  return { epochs, valid, run: null, tensors: withoutSlots(tensors) };
}

const withoutSlots = (tensors: Tensors): Tensors =>
  new Map([...tensors].filter(([, { kind }]) => kind !== 'slot'));

/** Where no epoch was judged the last model is the best; it is kept also if there was no epoch at all. */
async function closeRun(session: Fitting, state: RunState): Promise<void> {
  if (state.stopping.bestEpoch === -1) await keep(session, await saved(session, state, null), true);
}
