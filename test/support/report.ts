import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunResult } from '../../cli/train/result.js';

export const reportScript = resolve('cli/report.js');

/** A folder that is gone when the process ends. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What an invented run differs in. */
export interface Invented {
  readonly model?: string;
  readonly seed?: number;
  readonly classes?: number;
  readonly ratio?: number;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly valid?: number;
  readonly test?: number;
  /** Whether the meter was on. */
  readonly measured?: boolean;
  readonly epochs?: number;
}

/** The result of a run that never was; AUC as given, LogLoss 1 less it. */
export function inventedResult(run: Invented = {}): RunResult {
  const { model = 'FM', seed = 2020, classes = null, ratio = null, options } = run;
  const { valid = 0.7, test = 0.7, measured = true } = run;
  const supervision = { multi_cls: classes, multi_ratio: ratio, rating_bins: null };
  return {
    version: 1,
    ...{ model, dataset: 'toy', seed },
    config: {
      options: { seed, valid_metric: 'AUC', learning_rate: 0.001, quiet: true, ...supervision, ...options },
      model_options: {},
      data: {},
    },
    adapter: 'CPU: <invented> & co',
    best_epoch: 1,
    epochs: run.epochs ?? 3,
    seconds: 1,
    examples_per_second: 100,
    valid: { AUC: valid, LogLoss: 1 - valid },
    test: { AUC: test, LogLoss: 1 - test },
    calibration: [
      { rows: 30, predicted: 0.25, observed: 0.3 },
      { rows: 10, predicted: 0.85, observed: 0.8 },
    ],
    lipschitz: measured ? slopesOf(classes ?? Number(options?.rating_bins ?? 1), seed) : null,
  };
}

/** Slopes that the bound holds for up to four classes, and of which it says what can be told by heart. */
function slopesOf(classes: number, seed: number): RunResult['lipschitz'] {
  const score = { rows: 8, mean: 1, p50: 1, p90: 1, p99: 2, max: 3 };
  return { score, logits: 6 * Math.sqrt(classes) + (seed % 5), probabilities: 2 + classes, within: 1 };
}

/** Lines of metrics.jsonl of such a run. */
export function inventedEvents({
  seed = 2020,
  valid = 0.7,
  measured = true,
  epochs = 3,
}: Invented = {}): string {
  const shift = (seed % 5) / 100;
  const lines = Array.from({ length: epochs }, (_, epoch) => {
    const slope = 1 + epoch / 2 + shift;
    const more = {
      train: { AUC: valid + 0.02 * epoch, LogLoss: 0.5 - 0.05 * epoch },
      lipschitz: { rows: 8, mean: slope, p50: slope, p90: slope, p99: 2 * slope, max: 3 * slope },
    };
    const base = { event: 'epoch', epoch, train_loss: 10 - epoch + shift, seconds: 1 };
    return { ...base, valid: { AUC: valid, LogLoss: 0.55 }, ...(measured ? more : {}) };
  });
  return [...lines, { event: 'result' }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Puts such runs into folders of `folder`. */
export function inventRuns(folder: string, runs: readonly Invented[]): readonly string[] {
  return runs.map((run, i) => {
    const own = join(folder, `run-${String(i).padStart(2, '0')}`);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'result.json'), JSON.stringify(inventedResult(run)));
    writeFileSync(join(own, 'metrics.jsonl'), inventedEvents(run));
    return own;
  });
}

/** Three seeds of the binary head and of five classes at two ratios, of which 0.8 is best on valid. */
export const experiment: readonly Invented[] = [0, 1, 2].flatMap((i) => [
  { seed: 2020 + i, valid: 0.7, test: 0.7 + i / 1000 },
  { seed: 2020 + i, classes: 5, ratio: 0.2, valid: 0.71, test: 0.75 + i / 1000 },
  { seed: 2020 + i, classes: 5, ratio: 0.8, valid: 0.72, test: 0.72 + i / 900 },
]);
