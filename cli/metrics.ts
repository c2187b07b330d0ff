import { DataError } from '../data/errors.js';
import { nearest } from './config/nearest.js';
import { ConfigError } from './errors.js';
import { areaUnderCurve } from './metrics/area.js';

type Numbers = Float32Array | Float64Array | Uint8Array;

/** Scores and what they are judged by, row by row. */
export interface Scored {
  /** Probabilities of label 1; AUC and GAUC take any finite or infinite number. */
  readonly scores: Float32Array | Float64Array;
  /** 0 or 1 (what RecBole compares with, also in MAE and RMSE). */
  readonly labels: Numbers;
  /** User id of each row; only GAUC needs it. */
  readonly users?: Uint32Array;
}

/** One user's ranked list, cut at k. */
export interface Ranked {
  /** 1-based ranks of the user's positives, ascending; those behind k may be left out. */
  readonly ranks: ArrayLike<number>;
  /** How many positives the user has, ranked within k or not. */
  readonly positives: number;
  readonly k: number;
}

/**
 * Metrics over scored rows, all in f64. Every one throws DataError if there are no rows, if lengths disagree or if a
 * score is NaN (RecBole would go on with it).
 */
export const valueMetrics = {
  /**
   * Area under the ROC curve by trapezoids: a tie counts one half.
   * Throws DataError if all labels are equal, where RecBole warns and returns NaN.
   */
  AUC(input: Scored): number {
    check('AUC', input);
    const area = areaUnderCurve(input.scores, input.labels);
    if (Number.isNaN(area)) throw oneClass('AUC', `all ${input.labels.length} labels are ${input.labels[0]}`);
    return area;
  },

  /** Mean binary cross-entropy, scores clipped to [1e-15, 1 - 1e-15] in f64. */
  LogLoss(input: Scored): number {
    const { scores, labels } = check('LogLoss', input);
    let sum = 0;
    for (let row = 0; row < scores.length; row++) {
      const score = Math.min(Math.max(scores[row], 1e-15), 1 - 1e-15);
      // The score of label 1, 1 - score of label 0; to ask for the label would be a guess, half the time a wrong one.
      sum -= Math.log(Math.abs(1 - labels[row] - score));
    }
    return sum / scores.length;
  },

  /**
   * AUC of each user's rows, averaged with the number of the user's positive rows as weight; users with one class
   * are left out. RecBole's rule. Zhu et al. 2017, who weight by impressions. Throws DataError if no user is left.
   */
  GAUC(input: Scored): number {
    const { scores, labels, users } = check('GAUC', input);
    if (users === undefined) throw new DataError('GAUC: it needs the user of every row; pass users');
    let [sum, weights] = [0, 0];
    for (const rows of rowsByKey(users)) {
      const own = { scores: new Float64Array(rows.length), labels: new Uint8Array(rows.length) };
      for (let i = 0; i < rows.length; i++) {
        own.scores[i] = scores[rows[i]];
        own.labels[i] = labels[rows[i]];
      }
      const area = areaUnderCurve(own.scores, own.labels);
      if (Number.isNaN(area)) continue;
      const weight = countPositives(own.labels);
      sum += area * weight;
      weights += weight;
    }
    if (weights === 0) throw oneClass('GAUC', 'no user has rows of both labels');
    return sum / weights;
  },

  /** Mean of |score - label|. */
  MAE(input: Scored): number {
    return meanOver(check('MAE', input), (score, label) => Math.abs(score - label));
  },

  /** Root of the mean of (score - label)². */
  RMSE(input: Scored): number {
    return Math.sqrt(meanOver(check('RMSE', input), (score, label) => (score - label) ** 2));
  },

  /** Share of rows where (score > 0.5) is the label. */
  Accuracy(input: Scored): number {
    return meanOver(check('Accuracy', input), (score, label) => (score > 0.5 === (label === 1) ? 1 : 0));
  },
} as const satisfies Record<string, (input: Scored) => number>;

/** Metrics of one user's ranked list, RecBole's definitions; a run's metric is their mean over users. */
export const rankingMetrics = {
  /** Share of the positives within the first k. */
  Recall: ({ ranks, positives, k }: Ranked): number => hits(ranks, k) / positives,

  /** 1 / rank of the first positive, 0 if it is behind k. */
  MRR: ({ ranks, k }: Ranked): number => (hits(ranks, k) > 0 ? 1 / ranks[0] : 0),

  /** Gains of 1, discounted by log2(rank + 1), over those of the best list: min(positives, k) hits in front. */
  NDCG({ ranks, positives, k }: Ranked): number {
    const found = hits(ranks, k);
    let [gained, best] = [0, 0];
    for (let i = 0; i < found; i++) gained += 1 / Math.log2(ranks[i] + 1);
    for (let rank = 1; rank <= Math.min(positives, k); rank++) best += 1 / Math.log2(rank + 1);
    return gained / best;
  },

  /** 1 if any positive is within the first k. */
  Hit: ({ ranks, k }: Ranked): number => (hits(ranks, k) > 0 ? 1 : 0),

  /** Share of the first k that is positive; k counts in full, also if there are fewer candidates. */
  Precision: ({ ranks, k }: Ranked): number => hits(ranks, k) / k,

  /** Precision at each hit, summed, over min(positives, k). */
  MAP({ ranks, positives, k }: Ranked): number {
    const found = hits(ranks, k);
    let sum = 0;
    for (let i = 0; i < found; i++) sum += (i + 1) / ranks[i];
    return sum / Math.min(positives, k);
  },
} as const satisfies Record<string, (input: Ranked) => number>;

export type ValueMetric = keyof typeof valueMetrics;
export type RankingMetric = keyof typeof rankingMetrics;
/** A metric's name taken apart: `k` belongs to ranking metrics and may be missing ('NDCG'). */
export type MetricName =
  | { readonly kind: 'value'; readonly name: ValueMetric }
  | { readonly kind: 'ranking'; readonly name: RankingMetric; readonly k?: number };

const lowerIsBetter: ReadonlySet<string> = new Set<ValueMetric>(['LogLoss', 'MAE', 'RMSE']);

/** Reads 'AUC', 'ndcg' or 'NDCG@10', case ignored. Throws ConfigError on an unknown name or a bad k. */
export function parseMetric(text: string): MetricName {
  const [, word = '', cut] = /^\s*([^@\s]*)\s*(?:@(.*))?$/s.exec(text) ?? [];
  const value = nameIn(valueMetrics, word);
  const ranking = nameIn(rankingMetrics, word);
  if (value !== undefined && cut === undefined) return { kind: 'value', name: value };
  if (value !== undefined) throw new ConfigError(`metric ${text}: ${value} has no cut-off; write ${value}`);
  if (ranking === undefined) throw unknownMetric(text, word);
  if (cut === undefined) return { kind: 'ranking', name: ranking };
  const k = /^\s*[1-9][0-9]*\s*$/.test(cut) ? Number(cut) : 0;
  if (k === 0)
    throw new ConfigError(`metric ${text}: the cut-off must be a whole number from 1; got "${cut}"`);
  return { kind: 'ranking', name: ranking, k };
}

/** Whether a larger value of the metric is the better one; takes what `parseMetric` takes. */
export function higherIsBetter(metric: string): boolean {
  return !lowerIsBetter.has(parseMetric(metric).name);
}

/**
 * `value` to `decimals` places as Python's `round`: exact on the binary value, a true tie goes to the even digit.
 * NaN and infinities come back as they are.
 */
export function roundTo(value: number, decimals: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return value;
  const rounded = value.toFixed(decimals);
  // A tie has decimals + 1 binary places at most, and then one more decimal place writes it exactly.
  if (!Number.isInteger(value * 2 ** (decimals + 1))) return Number(rounded);
  const exact = value.toFixed(decimals + 1);
  // toFixed breaks ties away from zero: cutting the 5 off is the other neighbour.
  const odd = Number(rounded.at(-1)) % 2 === 1;
  return Number(exact.endsWith('5') && odd ? exact.slice(0, -1) : rounded);
}

function unknownMetric(text: string, word: string): ConfigError {
  const close = nearest(word, [...Object.keys(valueMetrics), ...Object.keys(rankingMetrics)]);
  const known = [...Object.keys(valueMetrics), ...Object.keys(rankingMetrics).map((name) => `${name}@k`)];
  const hint = close === null ? '' : `, nearest is ${close}`;
  return new ConfigError(`metric ${text}: no such metric${hint}; have ${known.join(', ')}`);
}

function nameIn<R extends object>(record: R, word: string): (keyof R & string) | undefined {
  const names = Object.keys(record) as (keyof R & string)[];
  return names.find((name) => name.toLowerCase() === word.toLowerCase());
}

function check(metric: string, input: Scored): Scored {
  const { scores, labels, users } = input;
  if (scores.length === 0) throw new DataError(`${metric}: no rows to judge; check the split`);
  if (labels.length !== scores.length || (users !== undefined && users.length !== scores.length)) {
    const counts = `${scores.length} scores, ${labels.length} labels${users ? `, ${users.length} users` : ''}`;
    throw new DataError(`${metric}: ${counts}; they must be equally many`);
  }
  for (let row = 0; row < scores.length; row++) {
    if (scores[row] !== scores[row]) {
      throw new DataError(`${metric}: score of row ${row} is NaN, want a number; lower the learning rate`);
    }
  }
  return input;
}

function oneClass(metric: string, what: string): DataError {
  return new DataError(`${metric}: ${what}, it compares label 1 with label 0; check threshold or the split`);
}

function countPositives(labels: Numbers): number {
  let count = 0;
  for (const label of labels) if (label === 1) count++;
  return count;
}

function largest(values: Uint32Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

/** Row numbers of each distinct key, by a counting sort: keys ascending, rows in order. */
function* rowsByKey(keys: Uint32Array): Generator<Uint32Array> {
  const ends = new Uint32Array(largest(keys) + 1);
  for (const key of keys) ends[key]++;
  for (let key = 1; key < ends.length; key++) ends[key] += ends[key - 1];
  const rows = new Uint32Array(keys.length);
  for (let row = keys.length - 1; row >= 0; row--) rows[--ends[keys[row]]] = row;
  for (let key = 0; key < ends.length; key++) {
    const end = key + 1 < ends.length ? ends[key + 1] : keys.length;
    if (end > ends[key]) yield rows.subarray(ends[key], end);
  }
}

function meanOver({ scores, labels }: Scored, term: (score: number, label: number) => number): number {
  let sum = 0;
  for (let row = 0; row < scores.length; row++) sum += term(scores[row], labels[row]);
  return sum / scores.length;
}

function hits(ranks: ArrayLike<number>, k: number): number {
  let count = 0;
  while (count < ranks.length && ranks[count] <= k) count++;
  return count;
}
