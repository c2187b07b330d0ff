import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../data/errors.js';
import { Malformed, count, fields, list, number, orNull, record, text } from '../checkpoint/fields.js';
import { configToRecord } from '../config/saved.js';
import type { TrainConfig } from '../config/train_config.js';
import { atomicWrite } from '../files.js';
import type { Scored } from '../metrics.js';
import { epochEvents, readEvents } from './history.js';
import type { BestSlopes } from './lipschitz.js';
import type { Metrics, RunState } from './state.js';

/** Rows whose predicted probabilities are close: how many, the mean prediction, the share of label 1. */
export interface CalibrationBin {
  readonly rows: number;
  readonly predicted: number;
  readonly observed: number;
}

/** What a finished run came to: result.json in its folder. A folder without it is a run to go on with. */
export interface RunResult {
  readonly version: 1;
  readonly model: string;
  readonly dataset: string;
  readonly seed: number;
  /** As checkpoints keep it. */
  readonly config: unknown;
  readonly adapter: string;
  /** -1 where no epoch was judged: the last model counts. */
  readonly best_epoch: number;
  /** Epochs that were trained, and the seconds that this took, evaluation left out. */
  readonly epochs: number;
  readonly seconds: number;
  readonly examples_per_second: number;
  /** Metrics of the best model; in the file NaN is a text, as JSON has no such number. */
  readonly valid: Metrics | null;
  readonly test: Metrics | null;
  /** Of the best model's probabilities on the test part; empty if there is none. */
  readonly calibration: readonly CalibrationBin[];
  /** Slopes of the best model; null where they were not measured. */
  readonly lipschitz: BestSlopes | null;
}

const version = 1;
const calibrationBins = 10;

/** The file of a run's result. */
export const resultPath = (folder: string): string => join(folder, 'result.json');

/** Groups rows by probability into ten bins of equal width; empty ones are left out. */
export function calibrationOf({ scores, labels }: Scored): readonly CalibrationBin[] {
  const bins = Array.from({ length: calibrationBins }, () => ({ rows: 0, predicted: 0, observed: 0 }));
  scores.forEach((score, row) => {
    const bin = bins[Math.min(Math.floor(score * calibrationBins), calibrationBins - 1)];
    bin.rows++;
    bin.predicted += score;
    bin.observed += labels[row];
  });
  return bins
    .filter(({ rows }) => rows > 0)
    .map(({ rows, predicted, observed }) => ({
      rows,
      predicted: predicted / rows,
      observed: observed / rows,
    }));
}

/** What a run knows of itself at its end. */
export interface Ending {
  readonly config: TrainConfig;
  readonly adapter: string;
  readonly state: RunState;
  readonly test: Metrics | null;
  readonly calibration: readonly CalibrationBin[];
  readonly lipschitz: BestSlopes | null;
}

/** Writes the result of a run into its folder. Throws what reading its history throws, and the system's error. */
export async function writeResult(folder: string, ending: Ending): Promise<void> {
  const { config, adapter, state, test, calibration, lipschitz } = ending;
  const { model, dataset, seed } = config;
  const result: RunResult = {
    version,
    ...{ model, dataset, seed },
    config: configToRecord(config),
    adapter,
    best_epoch: state.stopping.bestEpoch,
    epochs: state.epoch,
    ...(await speedOf(folder)),
    valid: state.best,
    test,
    calibration,
    lipschitz,
  };
  await atomicWrite(resultPath(folder), `${JSON.stringify(result, finite, 2)}\n`);
}

/** From the history, as earlier processes may have trained most of it. */
async function speedOf(folder: string): Promise<Pick<RunResult, 'seconds' | 'examples_per_second'>> {
  let [seconds, examples] = [0, 0];
  for (const event of epochEvents(await readEvents(folder))) {
    seconds += Number(event.seconds);
    examples += Number(event.seconds) * Number(event.examples_per_second);
  }
  return { seconds, examples_per_second: seconds > 0 ? Math.round(examples / seconds) : 0 };
}

const finite = (_key: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

/** Takes the result of a run away that is to go on. */
export const removeResult = (folder: string): Promise<void> => rm(resultPath(folder), { force: true });

/** Reads the result of a run. Throws DataError if it is damaged, else the system's error. */
export async function readResult(folder: string): Promise<RunResult> {
  const path = resultPath(folder);
  const content = await readFile(path, 'utf8');
  try {
    return checked(JSON.parse(content));
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof SyntaxError)) throw error;
    throw new DataError(`damaged, ${error.message}; train the run again`, path);
  }
}

const numberOrText = (value: unknown, what: string) =>
  typeof value === 'string' ? Number(value) : number(value, what);
const metrics = (value: unknown, what: string): Metrics => record(value, what, numberOrText);

function slopes(value: unknown, what: string): BestSlopes {
  const { score, logits, probabilities, within } = fields(value, what);
  return {
    // By the names that were written, of which readers take those that they need.
    score: metrics(score, `${what}.score`) as unknown as BestSlopes['score'],
    logits: numberOrText(logits, `${what}.logits`),
    probabilities: numberOrText(probabilities, `${what}.probabilities`),
    within: numberOrText(within, `${what}.within`),
  };
}

function checked(value: unknown): RunResult {
  const result = fields(value, 'result');
  if (result.version !== version) throw new Malformed(`version is ${String(result.version)}, not ${version}`);
  return {
    version,
    model: text(result.model, 'model'),
    dataset: text(result.dataset, 'dataset'),
    seed: count(result.seed, 'seed'),
    config: fields(result.config, 'config'),
    adapter: text(result.adapter, 'adapter'),
    best_epoch: count(result.best_epoch, 'best_epoch', -1),
    epochs: count(result.epochs, 'epochs'),
    seconds: number(result.seconds, 'seconds'),
    examples_per_second: number(result.examples_per_second, 'examples_per_second'),
    valid: orNull(result.valid, 'valid', metrics),
    test: orNull(result.test, 'test', metrics),
    calibration: list(result.calibration, 'calibration', (bin, what) => {
      const { rows, predicted, observed } = fields(bin, what);
      return {
        rows: count(rows, `${what}.rows`, 1),
        predicted: number(predicted, `${what}.predicted`),
        observed: number(observed, `${what}.observed`),
      };
    }),
    // Results of before it was kept have none.
    lipschitz: orNull(result.lipschitz ?? null, 'lipschitz', slopes),
  };
}
