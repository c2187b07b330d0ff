import type { Dataset, Split } from '../../data/schema.js';
import { DataError } from '../../data/errors.js';
import { Stream, uniforms } from '../../engine/index.js';
import type { Features, Program } from '../../models/index.js';
import type { TrainConfig } from '../config/train_config.js';
import { higherIsBetter, roundTo } from '../metrics.js';
import { LossGradient, type Norms } from '../runner/loss_gradient.js';
import { passRows, Probe } from '../runner/probe.js';
import type { Runner } from '../runner.js';
import { evaluate, partOf, type Part } from './evaluation.js';
import { mostLogits, steepnessOf, type Steepness } from './slopes.js';
import type { Metrics } from './state.js';

/** How ‖∂p/∂e‖₂ is distributed over the rows that were measured; the largest estimates the local Lipschitz constant. */
export interface Distribution {
  readonly rows: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What the meter says after an epoch, under the names of metrics.jsonl. */
export interface LipschitzRecord {
  readonly lipschitz: Distribution;
  readonly norms: Norms;
  /** Metrics of the fixed sample of training rows. */
  readonly train: Metrics;
  /** How much better the model is on training rows: train − valid AUC, valid − train LogLoss; where both are known. */
  readonly gap: Metrics;
}

/** How steep the best model is: the probability of a positive label, and logits and class probabilities. */
export interface BestSlopes extends Steepness {
  /** Of ‖∂p/∂e‖₂, as after an epoch. */
  readonly score: Distribution;
}

/** What a meter measures with. */
export interface Measured {
  readonly config: Pick<
    TrainConfig,
    'lipschitz_rows' | 'seed' | 'train_batch_size' | 'metric_decimal_place' | 'label_agg'
  >;
  readonly program: Program;
  readonly features: Features;
  readonly dataset: Dataset;
  readonly split: Split;
}

/** Training rows that are scored after each epoch at most: AUC is sure to some 0.003 then. */
const mostTrainRows = 32_768;
/** Of the training part; those that `gap` compares. */
const trainMetrics = ['AUC', 'LogLoss'];

/** `count` of the rows, or all if there are no more; drawn by `seed` and `name`, the same whenever they are asked for. */
export function sampleRows(rows: Uint32Array, count: number, seed: number, name: string): Uint32Array {
  if (rows.length <= count) return rows;
  const drawn = rows.slice();
  uniforms(Stream.named(seed, name), count).forEach((u, i) => {
    const j = i + Math.floor(u * (drawn.length - i));
    [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
  });
  return drawn.subarray(0, count);
}

/** Mean and quantiles (nearest rank) of values, of which there must be one at least. */
export function distributionOf(values: Float64Array): Distribution {
  const sorted = values.slice().sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { rows: values.length, mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** The rows on which slopes are measured: a fixed sample of those to validate on. Throws DataError if there are none. */
export function probedRows({ valid }: Split, { lipschitz_rows, seed }: Measured['config']): Uint32Array {
  if (valid.length > 0) return sampleRows(valid, lipschitz_rows, seed, 'lipschitz.valid');
  throw new DataError('lipschitz: the split leaves no rows to validate on; give some by --eval_args');
}

/** Measures after each epoch how sensitive, large and overfitted a model is. Holds no state: it can go on anywhere. */
export class LipschitzMeter {
  private constructor(
    private readonly runner: Runner,
    private readonly measured: Measured,
    private readonly rows: Uint32Array,
    private readonly probe: Probe,
    private readonly gradient: LossGradient,
    private readonly part: Part,
  ) {}

  /** Compiles for the runner's parameters. Throws DataError, ShapeError, KernelError, DeviceError. */
  static async open(runner: Runner, measured: Measured): Promise<LipschitzMeter> {
    const { config, program, features, dataset, split } = measured;
    const { seed, lipschitz_rows, train_batch_size } = config;
    const rows = probedRows(split, config);
    const { device, store } = runner;
    const probe = await Probe.open(
      device,
      store,
      program,
      features,
      'score',
      Math.min(rows.length, passRows),
    );
    const batch = Math.min(lipschitz_rows, train_batch_size);
    const fixed = sampleRows(split.train, batch, seed, 'lipschitz.batch');
    const gradient = await LossGradient.open(device, store, program, features, fixed);
    // As many as there are to validate on: a fraction of an epoch.
    const count = Math.min(split.valid.length, mostTrainRows);
    const train = sampleRows(split.train, count, seed, 'lipschitz.train');
    const part = partOf('train', dataset, { ...split, train }, { metrics: trainMetrics }) as Part; // it has rows
    return new LipschitzMeter(runner, measured, rows, probe, gradient, part);
  }

  /** Measures the parameters as they are; `valid` are the metrics of the whole valid part, if they are known. */
  async measure(valid: Metrics | null): Promise<LipschitzRecord> {
    const { gram } = await this.probe.measure(this.rows);
    const { metric_decimal_place } = this.measured.config;
    const judging = { metrics: trainMetrics, metric_decimal_place };
    const train = await evaluate(this.runner, this.part, judging, {});
    return {
      lipschitz: distributionOf(gram.map(Math.sqrt)),
      norms: await this.gradient.norms(),
      train,
      gap: gapOf(train, valid, metric_decimal_place),
    };
  }

  /**
   * Measures the parameters as they are, those of the best model once training is done, also by their logits; null if
   * these are too many. Throws ShapeError, KernelError, DeviceError.
   */
  async best(): Promise<BestSlopes | null> {
    const { program, features } = this.measured;
    if (program.supervision.classes > mostLogits) return null;
    const { device, store } = this.runner;
    const { gram } = await this.probe.measure(this.rows);
    const most = Math.min(this.rows.length, passRows);
    const logits = await Probe.open(device, store, program, features, 'logits', most);
    try {
      return {
        score: distributionOf(gram.map(Math.sqrt)),
        ...steepnessOf(await logits.measure(this.rows)),
      };
    } finally {
      logits.destroy();
    }
  }

  destroy(): void {
    this.probe.destroy();
    this.gradient.destroy();
  }
}

function gapOf(train: Metrics, valid: Metrics | null, decimals: number): Metrics {
  const known = Object.keys(train).filter((name) => valid?.[name] !== undefined);
  const better = (name: string) => (higherIsBetter(name) ? 1 : -1);
  return Object.fromEntries(
    known.map((name) => [name, roundTo(better(name) * (train[name] - (valid?.[name] ?? 0)), decimals)]),
  );
}

/** The line of an epoch on the console. */
export function lipschitzLine(epoch: number, seconds: number, record: LipschitzRecord): string {
  const { lipschitz, norms, gap } = record;
  const short = (value: number) => value.toPrecision(4);
  const slopes = (['mean', 'p99', 'max'] as const).map((name) => `${name}: ${short(lipschitz[name])}`);
  const sizes = Object.entries(norms).map(
    ([name, { weight, gradient }]) => `${name} ${short(weight)}, gradient ${short(gradient)}`,
  );
  const gaps = Object.entries(gap).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `epoch ${epoch} lipschitz [time: ${seconds.toFixed(2)}s, ‖∂p/∂e‖ ${slopes.join(', ')}]`,
    `norms: ${sizes.join('; ')}`,
    ...(gaps.length > 0 ? [`gap: ${gaps.join(', ')}`] : []),
  ].join('    ');
}

/** The line of the best model on the console: the paper's bound L_p ≤ L_f/√N beside what is measured. */
export function bestSlopesLine({ score, logits, probabilities }: BestSlopes, classes: number): string {
  const short = (value: number) => value.toPrecision(4);
  const bound = classes === 1 ? '' : `, L_f/√${classes}: ${short(logits / Math.sqrt(classes))}`;
  const limits = `L_p: ${short(probabilities)}, L_f: ${short(logits)}${bound}`;
  return `best model: ‖∂p/∂e‖ mean: ${short(score.mean)}, max: ${short(score.max)}; ${limits}`;
}
