import { splitDataset } from '../data/dataset.js';
import type { Dataset, Split } from '../data/schema.js';
import { packFeatures } from '../models/index.js';
import { readCommand } from './config/flags.js';
import type { OptionValues } from './config/option.js';
import { openLogger, resultLine, type Logger } from './logger.js';
import { roundTo } from './metrics.js';
import { checkSameData, checkSameIds, openDataset } from './open.js';
import { openProgress, progressMode, type Progress } from './progress.js';
import { rankingTask, type RankingOptions, type RankingTask, type RankingUser } from './ranking.js';
import { rankingScores } from './ranking/scores.js';
import { rankEvalHelp, rankEvalOptions } from './rank_eval/options.js';
import { firstPositives, pairBatchRows, pairScorer } from './rank_eval/pairs.js';
import { readRecords, recordPath, writeRecords } from './rank_eval/record.js';
import { rankingTable } from './rank_eval/report.js';
import { openTrained, readTrained, type Trained } from './rank_eval/trained.js';

type Values = OptionValues<typeof rankEvalOptions>;

/** What a ranking came to. */
interface Outcome {
  readonly adapter: string;
  readonly users: number;
  readonly pairs: number;
  readonly seconds: number;
  readonly scores: ReadonlyMap<string, number>;
}

/**
 * The command `rank-eval`: ranks with a checkpoint's model, prints the metrics and keeps them in rank-eval.json beside
 * the checkpoint. Throws ConfigError, CheckpointError, DataError.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, rankEvalHelp, rankEvalOptions);
  if ('help' in request) return void console.log(request.help);
  const { values } = request;
  const progress = await openProgress({ mode: progressMode({ quiet: values.quiet, show_progress: true }) });
  const logger = openLogger({
    folder: null,
    state: 'INFO',
    quiet: values.quiet,
    print: (line, severity) => progress.print(line, severity),
  });
  const path = recordPath(values.checkpoint);
  const trained = await readTrained(values.checkpoint, values);
  // Before the work, so that its result is not lost to a file that is in the way.
  const earlier = await readRecords(path);
  const options = {
    phase: values.phase,
    mode: values.mode,
    seed: values.seed ?? trained.config.seed,
    topk: values.topk ?? trained.config.topk,
  };
  const outcome = await rank(trained, { ...values, ...options }, logger, progress);
  print(outcome, options, trained.config.metric_decimal_place, logger);
  await writeRecords(path, [...earlier, record(trained, options, outcome)]);
  logger.info(`kept in ${path}`);
}

type Options = RankingOptions & Pick<Values, 'metrics'> & { readonly topk: readonly number[] };

async function rank(
  trained: Trained,
  options: Options,
  logger: Logger,
  progress: Progress,
): Promise<Outcome> {
  const { checkpoint, config } = trained;
  const dataset = await openDataset(config, (line) => logger.info(line));
  checkSameIds(checkpoint, dataset);
  const features = packFeatures(dataset);
  checkSameData(checkpoint, features);
  const split = splitDataset(dataset, config.data);
  const task = rankingTask(dataset, split, options);
  const model = await openTrained(trained, dataset, features);
  logger.info(`${config.model} on ${dataset.name}, adapter: ${model.adapter}`);
  const started = performance.now();
  const batchRows = pairBatchRows(features, config.eval_batch_size);
  const contexts = firstPositives(dataset, split, options.phase);
  const scorer = pairScorer(model.runner, features, contexts, batchRows);
  const count = { users: 0, pairs: 0 };
  progress.begin(`rank ${options.phase} users`, usersToRank(dataset, split, options.phase));
  const counted = countedTask(task, count, progress);
  const scores = await rankingScores(counted, scorer, { ...options, batchRows });
  progress.end();
  model.destroy();
  return { adapter: model.adapter, ...count, seconds: (performance.now() - started) / 1000, scores };
}

function usersToRank({ inter, label, schema }: Dataset, split: Split, phase: 'valid' | 'test'): number {
  const users = inter.columns.get(schema.userField);
  if (users?.type !== 'token') return 0;
  return new Set(split[phase].filter((row) => label?.[row] === 1).map((row) => users.ids[row])).size;
}

/** The task, counted while it is walked. */
function* countedTask(
  task: RankingTask,
  count: { users: number; pairs: number },
  progress: Progress,
): Generator<RankingUser, void, void> {
  for (const user of task) {
    yield user;
    count.users++;
    count.pairs += user.candidates.length;
    progress.update(count.users);
  }
}

function print(
  { users, pairs, seconds, scores }: Outcome,
  { phase, mode, seed }: RankingOptions,
  decimals: number,
  logger: Logger,
): void {
  const rounded = new Map([...scores].map(([name, value]) => [name, roundTo(value, decimals)]));
  const against = mode === 'full' ? 'all items' : `100 draws a positive, seed ${seed}`;
  logger.result(resultLine(`${phase} result`, Object.fromEntries(rounded), decimals));
  logger.info(`\n${rankingTable(rounded, decimals)}\n`);
  const [userText, pairText] = [users, pairs].map((count) => count.toLocaleString('en-US'));
  logger.info(`${userText} users, ${pairText} candidates (${against}), ${seconds.toFixed(1)} s`);
}

/** One entry of rank-eval.json: what was ranked and how, and the metrics as they are, not rounded. */
function record(
  { checkpoint, config, weights }: Trained,
  options: RankingOptions & { readonly topk: readonly number[] },
  { scores, ...outcome }: Outcome,
): unknown {
  return {
    time: new Date().toISOString(),
    checkpoint: checkpoint.path,
    ...(weights && { weights: weights.path }),
    model: config.model,
    dataset: config.dataset,
    epochs: checkpoint.epochs,
    ...options,
    ...outcome,
    metrics: Object.fromEntries(scores),
  };
}
