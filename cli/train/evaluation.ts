import { DataError } from '../../data/errors.js';
import type { Dataset, Split } from '../../data/schema.js';
import type { TrainConfig } from '../config/train_config.js';
import { roundTo, valueMetrics, type Scored, type ValueMetric } from '../metrics.js';
import type { Runner, Watch } from '../runner.js';
import type { Metrics } from './state.js';

/** Rows to be scored, and what they are judged by. */
export interface Part {
  readonly name: 'train' | 'valid' | 'test';
  readonly rows: Uint32Array;
  readonly labels: Float32Array;
  readonly users?: Uint32Array;
  /** Metrics that its labels do not allow, and why: they are NaN. */
  readonly undefined: ReadonlyMap<string, string>;
}

/** Who watches the judging of a part. */
export interface Judge extends Watch {
  /** Sees the scores that the metrics are made from. */
  scored?(input: Scored): void;
}

type Judging = Pick<TrainConfig, 'metrics' | 'metric_decimal_place'>;

const metricOf = (name: string) => valueMetrics[name as ValueMetric]; // metricName let no other name through

function labelsOf({ label }: Dataset, rows: Uint32Array): Float32Array {
  const labels = new Float32Array(rows.length);
  if (label !== null) for (let i = 0; i < rows.length; i++) labels[i] = label[rows[i]];
  return labels;
}

function usersOf({ inter, schema }: Dataset, rows: Uint32Array): Uint32Array | undefined {
  const column = inter.columns.get(schema.userField);
  if (column?.type !== 'token') return undefined;
  const users = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) users[i] = column.ids[rows[i]];
  return users;
}

/** Metrics that throw whatever the scores are, with what they say. */
function undefinedMetrics(metrics: readonly string[], input: Scored): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const name of metrics) {
    try {
      metricOf(name)(input);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      reasons.set(name, error.message);
    }
  }
  return reasons;
}

/** A part of the split, ready to be judged; null if it has no rows. */
export function partOf(
  name: Part['name'],
  dataset: Dataset,
  split: Split,
  { metrics }: Pick<Judging, 'metrics'>,
): Part | null {
  const rows = split[name];
  if (rows.length === 0) return null;
  const [labels, users] = [labelsOf(dataset, rows), usersOf(dataset, rows)];
  const any = { scores: new Float32Array(rows.length), labels, users };
  return { name, rows, labels, users, undefined: undefinedMetrics(metrics, any) };
}

/** Throws DataError if there is nothing to learn from: no rows, or one label in all of them. */
export function checkTraining(dataset: Dataset, { train }: Split): void {
  if (train.length === 0) throw new DataError('train: the split leaves no rows; give more by --eval_args');
  const labels = labelsOf(dataset, train);
  if (labels.some((label) => label !== labels[0])) return;
  throw new DataError(
    `train: all ${labels.length} labels are ${labels[0]}, but learning takes both; change the threshold`,
  );
}

/**
 * Scores a part and computes its metrics, rounded. Throws DataError if a score is NaN, else the signal's
 * reason.
 */
export async function evaluate(
  runner: Runner,
  part: Part,
  { metrics, metric_decimal_place }: Judging,
  watch: Judge,
): Promise<Metrics> {
  const { score } = await runner.scores(part.rows, undefined, watch);
  const input: Scored = { scores: score, labels: part.labels, users: part.users };
  const entries = metrics.map((name) => {
    const value = part.undefined.has(name) ? Number.NaN : metricOf(name)(input);
    return [name, roundTo(value, metric_decimal_place)] as const;
  });
  watch.scored?.(input);
  return Object.fromEntries(entries);
}
