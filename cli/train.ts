import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chromeTrace, formatProfile, profileTable } from '../engine/index.js';
import { models } from '../models/index.js';
import { putTensors } from './checkpoint.js';
import { failureText } from './command.js';
import { loadTrainConfig } from './config.js';
import { atomicWrite } from './files.js';
import { openLogger, resultLine, type Severity } from './logger.js';
import type { Scored } from './metrics.js';
import { prepareDataset, requireDataset } from './open.js';
import { durationText, openProgress, progressMode, rateText } from './progress.js';
import { makeRunDir } from './run_dir.js';
import { catchStop } from './train/interruption.js';
import { bestPath, lastPath, type Keeper } from './train/keeper.js';
import { bestSlopesLine } from './train/lipschitz.js';
import { resultTable } from './train/report.js';
import { calibrationOf, removeResult, writeResult, type CalibrationBin } from './train/result.js';
import { openSession, planResumed, type Plan } from './train/session.js';
import type { Metrics, RunState } from './train/state.js';
import { fit, judged, type Session, type Timing } from './trainer.js';

/** What only tests set. */
export interface TrainSettings {
  /** Longest time that a crash may cost, within an epoch. */
  readonly saveEveryMs: number;
  /** Told whenever there is a new state to go on from. */
  readonly kept?: (run: RunState) => void;
}

// Five minutes: seldom enough to cost nothing, often enough to lose little.
const defaults: TrainSettings = { saveEveryMs: 5 * 60_000 };

/**
 * The command `train`: trains, keeps the best epoch and tests it. Throws ConfigError, DataError,
 * CheckpointError and what the engine throws.
 */
export async function main(argv: readonly string[], settings = defaults): Promise<void> {
  const made: string[] = [];
  const request = await loadTrainConfig(argv, models, async (dataset, dataPath) => {
    const line = await prepareDataset(dataset, dataPath);
    if (line !== null) made.push(line);
  });
  if (request.kind === 'help') return void console.log(request.text);
  // Before anything is printed: a set that is not there is one message.
  if (request.kind === 'run') requireDataset(request.config);
  const plan: Plan =
    request.kind === 'run'
      ? { config: request.config, notes: [...made, ...request.notes], before: null }
      : await planResumed(request.checkpoint, request.flags);
  await run(plan, settings);
}

function folderOf({ config, before }: Plan): string | null {
  if (!config.saved) return null;
  return before === null
    ? makeRunDir(config.checkpoint_dir, config.model, config.dataset)
    : dirname(before.path);
}

/** Trains and tests as planned; an orderly stop in between sets the exit code. */
async function run(plan: Plan, { saveEveryMs, kept }: TrainSettings): Promise<void> {
  const { config, before } = plan;
  const folder = folderOf(plan);
  const progress = await openProgress({ mode: progressMode(config) });
  const { state, quiet } = config;
  // A choice of the very words that the logger knows.
  const logger = openLogger({ folder, state: state as Severity, quiet, print: progress.print });
  const keepReason = (error: unknown) => logger.fatal(failureText('train', error));
  // Also of what nobody waits for, such as a thread that dies.
  process.on('uncaughtExceptionMonitor', keepReason);
  let isReady = false;
  try {
    const ready = await openSession(plan, { folder, logger, progress, saveEveryMs });
    isReady = true;
    if (before !== null && folder !== null) await removeResult(folder);
    const stop = catchStop();
    try {
      const keeper = watched(ready.session.keeper, kept);
      await trainAndTest({ ...ready.session, keeper, signal: stop.signal }, ready.start, folder);
    } finally {
      if (stop.signal.aborted) process.exitCode = stop.exitCode();
      stop.destroy();
      ready.session.meter?.destroy();
      ready.session.runner.destroy();
      ready.device.destroy();
    }
  } catch (error) {
    keepReason(error);
    throw error;
  } finally {
    progress.end();
    process.off('uncaughtExceptionMonitor', keepReason);
    logger.destroy();
    // A run that never began leaves nothing behind.
    if (!isReady && before === null && folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

function watched(keeper: Keeper, kept: TrainSettings['kept']): Keeper {
  return {
    ...keeper,
    async keepLast(progress) {
      await keeper.keepLast(progress);
      if (progress.run !== null) kept?.(progress.run);
    },
  };
}

async function trainAndTest(session: Session, start: RunState, folder: string | null): Promise<void> {
  const { config, runner, keeper, logger, signal } = session;
  const { state, total } = await fit(session, start);
  if (signal.aborted) return sayStopped(session, state, folder);
  if (total.seconds > 0) logger.info(throughputLine(state.epoch - start.epoch, total));
  if (config.profile) await profile(session, folder);
  putTensors(runner.store, await keeper.best(), 'best model', 'parameter', 'state');
  let calibration: readonly CalibrationBin[] = [];
  const seen = (scored: Scored) => (calibration = calibrationOf(scored));
  const test = session.test === null ? null : await judged(session, session.test, seen);
  if (signal.aborted) return sayStopped(session, state, folder);
  report(session, state, test);
  const lipschitz = (await session.meter?.best()) ?? null;
  if (lipschitz !== null) logger.info(bestSlopesLine(lipschitz, config.multi_cls ?? 1));
  const adapter = runner.device.name;
  if (folder !== null) await writeResult(folder, { config, adapter, state, test, calibration, lipschitz });
  if (folder !== null) logger.info(`best model: ${bestPath(folder)}`);
}

function throughputLine(epochs: number, { rows, seconds }: Timing): string {
  return `trained ${epochs} epochs in ${durationText(seconds)}: ${rateText(rows / seconds)} examples/s`;
}

/** Where the run stands and how it goes on; shown in any case. */
function sayStopped({ logger, runner }: Session, { epoch, done }: RunState, folder: string | null): void {
  const where = `stopped in epoch ${epoch} after ${done} of ${runner.epochSteps} steps`;
  const next =
    folder === null
      ? 'nothing was saved, as --saved=False asks for'
      : `go on with: node cli/train.js --resume=${lastPath(folder)}`;
  logger.warning(`${where}; ${next}`);
}

/** RecBole's last lines, and the table that stands for them with --quiet. */
function report({ config, logger }: Session, { best, stopping }: RunState, test: Metrics | null): void {
  const decimals = config.metric_decimal_place;
  if (best !== null) {
    logger.info(`Finished training, best eval result in epoch ${stopping.bestEpoch}`);
    logger.info(resultLine('best valid ', best, decimals));
  }
  if (test !== null) logger.info(resultLine('test result', test, decimals));
  const parts = Object.entries({ valid: best, test }).flatMap(([part, metrics]) =>
    metrics === null ? [] : [[part, metrics] as const],
  );
  logger.metrics({ event: 'result', best_epoch: stopping.bestEpoch, valid: best, test });
  if (parts.length > 0) logger.result(resultTable(parts, decimals));
}

/** Steps that are timed: enough for a mean, few enough to read as a trace. */
const profileSteps = 10;

/** Times kernels after training, on a model that is not used any more. */
async function profile({ config, runner, train, logger }: Session, folder: string | null): Promise<void> {
  const times = await runner.profile(train, config.learning_rate, profileSteps);
  logger.result(formatProfile(profileTable(times)));
  if (folder === null) return;
  const path = join(folder, 'trace.json');
  const title = `${config.model} on ${config.dataset}`;
  await atomicWrite(path, JSON.stringify(chromeTrace(times, runner.device.name, title)));
  logger.info(`trace: ${path}`);
}
