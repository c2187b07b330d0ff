import { readCommand } from './config/flags.js';
import { openPredictor, seenInTraining, type Predictor } from './predict/model.js';
import { recommendationHeader, recommendationLines } from './predict/lines.js';
import { predictHelp, predictOptions, predictRequest, type PredictRequest } from './predict/options.js';
import { recommendations } from './predict/recommend.js';
import { openInput, scoreInput, type ScoreSummary } from './predict/score.js';
import { openSink, type Sink } from './predict/sink.js';
import { usersToServe } from './predict/users.js';
import { idsByField } from './predict/vocabulary.js';
import { openProgress, progressMode, type Progress } from './progress.js';
import { pairBatchRows, pairScorer } from './rank_eval/pairs.js';
import { readTrained, type Trained } from './rank_eval/trained.js';

/** What a job needs; everything it says goes to stderr, stdout is for results. */
interface Job {
  readonly trained: Trained;
  readonly sink: Sink;
  readonly progress: Progress;
  /** News, which --quiet leaves out. */
  readonly note: (line: string) => void;
  /** What must be known to trust the result. */
  readonly warn: (line: string) => void;
}

/**
 * The command `predict`: scores rows or recommends items with a checkpoint's model. The output is there in full, or not
 * at all. Throws ConfigError, CheckpointError, DataError.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const asked = await readCommand(argv, predictHelp, predictOptions);
  if ('help' in asked) return void console.log(asked.help);
  const request = predictRequest(asked.values);
  const { quiet } = request;
  const progress = await openProgress({ mode: progressMode({ quiet, show_progress: true }) });
  const warn = (line: string) => progress.print(`predict: ${line}`, 'WARNING');
  const note = quiet ? () => {} : warn;
  const trained = await readTrained(request.checkpoint, request);
  const sink = await openSink(request.output);
  try {
    const job = { trained, sink, progress, note, warn };
    await (request.kind === 'score' ? score(request, job) : recommend(request, job));
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  if (request.output !== '-') note(`kept in ${request.output}`);
}

async function score({ input: path }: PredictRequest & { kind: 'score' }, job: Job): Promise<void> {
  const { trained, sink, progress, note, warn } = job;
  const input = await openInput(path);
  const predictor = await openPredictor(trained, idsByField(trained.checkpoint.vocabularies), note);
  introduce(trained, predictor, note);
  const started = performance.now();
  const summary = await scoreInput(predictor, trained.config.data, input, sink, progress);
  report(summary, input.name, note, warn);
  note(`${grouped(summary.rows)} rows scored in ${seconds(started)}`);
  predictor.destroy();
}

function report({ header, unseen }: ScoreSummary, file: string, note: Job['note'], warn: Job['warn']): void {
  const { ignored, absent } = header;
  if (ignored.length > 0)
    note(`${file}: ${ignored.join(', ')} not used, the model does not take it from rows`);
  if (absent.length > 0) note(`${file}: no ${absent.join(', ')}, which counts as missing in every row`);
  for (const [field, { cells, first }] of unseen) {
    const what = first === '' ? 'empty' : `"${first}"`;
    warn(`${file}: ${field}: ${grouped(cells)} not seen in training, the first is ${what}; scored as [PAD]`);
  }
}

async function recommend(request: PredictRequest & { kind: 'recommend' }, job: Job): Promise<void> {
  const { trained, sink, progress, note } = job;
  const { schema, vocabularies } = trained.checkpoint;
  const { config } = trained;
  const idsOf = idsByField(vocabularies);
  const users = await usersToServe(request.users, idsOf(schema.userField));
  const predictor = await openPredictor(trained, idsOf, note);
  const { features, runner } = predictor;
  const seen = request.keepSeen ? null : await seenInTraining(trained, note);
  introduce(trained, predictor, note);
  const batchRows = pairBatchRows(features, config.eval_batch_size);
  const [userTokens, itemTokens] = [schema.userField, schema.itemField].map(
    (field) => vocabularies.get(field) ?? [],
  );
  // The one row of features stands for no context.
  const scorer = pairScorer(runner, features, new Uint32Array(userTokens.length), batchRows);
  const { field_separator: separator } = config.data;
  const started = performance.now();
  progress.begin('recommend to users', users.length);
  await sink.write(recommendationHeader(schema, separator));
  let [served, lines] = [0, ''];
  const options = { topk: request.topk, itemCount: itemTokens.length, seen, batchRows };
  for await (const { user, items, scores } of recommendations(users, scorer, options)) {
    const best = Array.from(items, (item, i) => ({ item: itemTokens[item], score: scores[i] }));
    lines += recommendationLines(userTokens[user], best, separator);
    progress.update(++served);
    // A write for each user would be thousands of small ones.
    if (lines.length < writeLength) continue;
    await sink.write(lines);
    lines = '';
  }
  await sink.write(lines);
  progress.end();
  note(`${grouped(served)} users served in ${seconds(started)}`);
  predictor.destroy();
}

const writeLength = 1 << 18;

function introduce({ config, checkpoint }: Trained, { adapter }: Predictor, note: Job['note']): void {
  note(`${config.model} of ${checkpoint.path}, trained on ${config.dataset}; adapter: ${adapter}`);
}

const grouped = (count: number): string => count.toLocaleString('en-US');
const seconds = (started: number): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
