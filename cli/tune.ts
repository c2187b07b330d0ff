import { join } from 'node:path';
import { atomicWrite } from './files.js';
import { openLogger, type Logger } from './logger.js';
import { durationText, openProgress, progressMode, type Progress } from './progress.js';
import { catchStop } from './train/interruption.js';
import { bestTrial, bestYaml, paramsText, resultText, studyTable, trialLine } from './tune/report.js';
import { readTuneRequest, type TuneRequest } from './tune/request.js';
import { openStudy, type Study, type StudyRecord, type Trial } from './tune/study.js';
import { removeWorse, runTrial } from './tune/trials.js';
import { ConfigError } from './errors.js';

/** Trials in a row that fail before a search gives up: then it is not the values. */
const mostFailures = 5;

/** Trials of random and bayes if nothing is said, as in RecBole. */
const usualTrials = 100;

/** A search at work. */
interface Tuning {
  readonly request: TuneRequest;
  readonly study: Study;
  readonly logger: Logger;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * The command `tune`: searches options of a training, trial by trial, and keeps the best as a configuration file.
 * Throws ConfigError, DataError.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const request = await readTuneRequest(argv);
  if ('help' in request) return void console.log(request.help);
  const { options, config } = request;
  const progress = await openProgress({ mode: progressMode(options), unit: null });
  const { print } = progress;
  const logger = openLogger({ folder: null, state: 'INFO', quiet: options.quiet, print });
  const folder = join(options.study_dir, options.name ?? `${config.model}-${config.dataset}`);
  const study = await openStudy(folder, recordOf(request));
  const stop = catchStop();
  try {
    await tune({ request, study, logger, progress, signal: stop.signal });
  } finally {
    if (stop.signal.aborted) process.exitCode = stop.exitCode();
    stop.destroy();
    progress.end();
    study.close();
  }
}

/** What decides on the trials; how many there are at most, and what is kept, may change. */
function recordOf({ options, space, argv }: TuneRequest): StudyRecord {
  const { algo, pruner, prune_startup, prune_warmup, startup_trials, seed } = options;
  const search = { algo, pruner, prune_startup, prune_warmup, startup_trials, seed };
  return { version: 1, ...search, params: space.map(({ text }) => text), flags: [...argv].sort() };
}

const mostOf = ({ options, search }: TuneRequest): number =>
  Math.min(
    options.max_evals ?? (options.algo === 'exhaustive' ? Infinity : usualTrials),
    search.size ?? Infinity,
  );

async function tune(tuning: Tuning): Promise<void> {
  const { request, study, logger, progress, signal } = tuning;
  const { config, options } = request;
  const most = mostOf(request);
  const before = study.trials.length;
  logger.info(`${config.model} on ${config.dataset}: ${options.algo} search, at most ${most} trials`);
  if (before > 0) logger.info(`${study.folder}: goes on after ${before} trials`);
  const started = performance.now();
  progress.begin('search', most);
  progress.update(before);
  while (!signal.aborted && study.trials.length < most && !isStuck(tuning)) {
    const params = request.search.suggest(judgedOf(tuning));
    if (params === null) break;
    await oneTrial(tuning, params);
  }
  progress.end();
  if (signal.aborted) return sayStopped(tuning);
  logger.info(`searched for ${durationText((performance.now() - started) / 1000)}`);
  await finish(tuning);
}

/** Losses for the search: bayes wants less to be better. A failure is as bad as can be. */
function judgedOf({ request, study }: Tuning) {
  const { valid_metric_bigger: bigger } = request.config;
  const loss = ({ score }: Trial) => (score === null ? Infinity : bigger ? -score : score);
  return study.trials.map((trial) => ({ params: trial.params, loss: loss(trial) }));
}

/** Whether the last trials brought nothing: RecBole's early stop. Throws ConfigError if all of them failed. */
function isStuck({ request, study }: Tuning): boolean {
  const { options, config } = request;
  const { trials } = study;
  const last = trials.slice(-mostFailures);
  if (last.length === mostFailures && last.every(({ state }) => state === 'failed')) {
    throw new ConfigError(
      `${study.folder}: ${mostFailures} trials in a row failed, the last with "${last.at(-1)?.error}"; ` +
        `correct ${options.params_file} or the flags, and give another --name`,
    );
  }
  const best = bestTrial(trials, config.valid_metric_bigger);
  return options.early_stop > 0 && best !== null && trials.length - 1 - best.trial >= options.early_stop;
}

async function oneTrial(
  { request, study, logger, progress, signal }: Tuning,
  params: TuneRequest['base'],
): Promise<void> {
  const { config, options, argv, base } = request;
  const { valid_metric: metric, valid_metric_bigger: bigger } = config;
  const epochs = Number(params.epochs ?? config.epochs);
  const { pruner, prune_startup: startup, prune_warmup: warmup, keep } = options;
  const done = study.trials.length;
  const trial = await runTrial(study, params, {
    argv,
    metric,
    rule: { pruner, bigger, startup, warmup },
    epochs,
    signal,
    progress: (past) => progress.update(done + Math.min(past / epochs, 0.999)),
  });
  if (trial === null) return;
  await study.add(trial);
  progress.update(study.trials.length);
  const isBest = bestTrial(study.trials, bigger) === trial;
  logger.info(`${trialLine(trial, metric)}${isBest ? ', the best so far' : ''}`);
  if (isBest) await atomicWrite(join(study.folder, 'best.yaml'), bestYaml(trial, base, metric));
  if (keep === 'best') removeWorse(study, bigger);
}

function sayStopped({ study, logger }: Tuning): void {
  const { length } = study.trials;
  logger.warning(`stopped in trial ${length}; go on with the same command, which reads ${study.folder}`);
}

async function finish({ request, study, logger }: Tuning): Promise<void> {
  const { config, options, base } = request;
  const { valid_metric: metric, valid_metric_bigger: bigger } = config;
  const best = bestTrial(study.trials, bigger);
  if (options.output_file !== null) await atomicWrite(options.output_file, resultText(study.trials));
  logger.result(studyTable(study.trials, { metric, bigger, top: options.top }));
  if (best === null)
    throw new ConfigError(`${study.folder}: no trial ran to its end; see trials.jsonl there`);
  const path = join(study.folder, 'best.yaml');
  // Also where a crash came between a trial and this file.
  await atomicWrite(path, bestYaml(best, base, metric));
  logger.info(`chosen on valid, by ${metric}: trial ${best.trial}, ${paramsText(best.params)}`);
  logger.info(`train so again with: node cli/train.js --config_files=${path}`);
}
