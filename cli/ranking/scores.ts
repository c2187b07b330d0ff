import { DataError } from '../../data/errors.js';
import { ConfigError } from '../errors.js';
import { parseMetric, rankingMetrics, type RankingMetric } from '../metrics.js';
import type { RankingTask, RankingUser } from '../ranking.js';

/**
 * Scores of (user, item) pairs, one for each, the higher the better. The arrays are reused once it has answered.
 */
export type PairScorer = (users: Uint32Array, items: Uint32Array) => Float32Array | Promise<Float32Array>;

export interface RankingScoreOptions {
  /** Names as `parseMetric` takes them; one without a cut-off is taken at every k of `topk`. */
  readonly metrics: readonly string[];
  readonly topk: readonly number[];
  /** Pairs per call of the scorer: every call but the last has exactly so many. */
  readonly batchRows: number;
}

/**
 * Scores every user's candidates and averages the metrics over the users: 'NDCG@10' → value, in the order asked for.
 * Equal scores rank by item id, lower first (the original leaves ties to chance). Holds the users of one batch.
 * Throws ConfigError on a name that is no ranking metric, DataError on a NaN score or a task without users.
 */
export async function rankingScores(
  task: RankingTask,
  score: PairScorer,
  { metrics, topk, batchRows }: RankingScoreOptions,
): Promise<Map<string, number>> {
  const totals = rankingTotals(metrics, topk);
  const batch = { users: new Uint32Array(batchRows), items: new Uint32Array(batchRows), rows: 0 };
  const open: OpenUser[] = [];
  const flush = async () => {
    const scores = await score(batch.users.subarray(0, batch.rows), batch.items.subarray(0, batch.rows));
    if (scores.length !== batch.rows)
      throw new RangeError(`rank: ${scores.length} scores for ${batch.rows} pairs`);
    for (const done of handOut(scores, open)) totals.add(done.ranked, done.scores);
    batch.rows = 0;
  };
  for (const ranked of task) {
    open.push({ ranked, scores: new Float32Array(ranked.candidates.length), filled: 0 });
    for (let taken = 0; taken < ranked.candidates.length;) {
      const part = ranked.candidates.subarray(taken, taken + batchRows - batch.rows);
      batch.users.fill(ranked.user, batch.rows, batch.rows + part.length);
      batch.items.set(part, batch.rows);
      batch.rows += part.length;
      taken += part.length;
      if (batch.rows === batchRows) await flush();
    }
  }
  if (batch.rows > 0) await flush();
  return totals.means();
}

interface OpenUser {
  readonly ranked: RankingUser;
  readonly scores: Float32Array;
  filled: number;
}

/** Gives a batch's scores to the users it was made of, first come first served; yields those that have all theirs. */
function* handOut(scores: Float32Array, open: OpenUser[]): Generator<OpenUser> {
  for (let taken = 0; taken < scores.length;) {
    const first = open[0];
    const part = scores.subarray(taken, taken + first.scores.length - first.filled);
    first.scores.set(part, first.filled);
    first.filled += part.length;
    taken += part.length;
    if (first.filled < first.scores.length) return;
    open.shift();
    yield first;
  }
}

/** Sums of ranking metrics over users. */
export interface RankingTotals {
  /** Adds one user; `scores` belong to `ranked.candidates`. Throws DataError on NaN. */
  add(ranked: RankingUser, scores: Float32Array): void;
  /** 'NDCG@10' → mean over the users added. Throws DataError if there were none. */
  means(): Map<string, number>;
}

/** A running mean of the metrics, for callers that make the scores themselves; options as `rankingScores` has them. */
export function rankingTotals(metrics: readonly string[], topk: readonly number[]): RankingTotals {
  const wanted = metrics.flatMap((metric) => cutOffs(metric, topk));
  const sums = new Float64Array(wanted.length);
  let users = 0;
  return {
    add(ranked, scores) {
      const ranks = positiveRanks(ranked, scores);
      const positives = ranked.positives.length;
      wanted.forEach(({ name, k }, i) => (sums[i] += rankingMetrics[name]({ ranks, positives, k })));
      users++;
    },
    means() {
      if (users === 0) throw new DataError('rank: no user to average over; check the split');
      return new Map(wanted.map(({ name, k }, i) => [`${name}@${k}`, sums[i] / users]));
    },
  };
}

function cutOffs(metric: string, topk: readonly number[]): { name: RankingMetric; k: number }[] {
  const parsed = parseMetric(metric);
  if (parsed.kind === 'value') {
    const known = Object.keys(rankingMetrics).join(', ');
    throw new ConfigError(`metric ${metric}: it does not judge ranked lists; have ${known}`);
  }
  return (parsed.k === undefined ? topk : [parsed.k]).map((k) => ({ name: parsed.name, k }));
}

/**
 * 1-based ranks of the positives among all candidates, ascending. Each candidate is placed among the sorted
 * positives, so a long list is never sorted.
 */
export function positiveRanks(
  { user, candidates, positives }: RankingUser,
  scores: Float32Array,
): Uint32Array {
  const before = (a: number, b: number) =>
    scores[a] > scores[b] || (scores[a] === scores[b] && candidates[a] < candidates[b]);
  const isPositive = new Set(positives);
  const best = [...candidates.keys()].filter((i) => isPositive.has(candidates[i]));
  best.sort((a, b) => (before(a, b) ? -1 : 1));
  const ranks = new Uint32Array(best.length);
  for (let i = 0; i < candidates.length; i++) {
    if (scores[i] !== scores[i]) {
      throw new DataError(
        `rank: score of user ${user} and item ${candidates[i]} is NaN, want a number; retrain`,
      );
    }
    const place = firstWhere(best.length, (j) => before(i, best[j]));
    if (place < best.length) ranks[place]++;
  }
  let ahead = 0;
  return ranks.map((between) => (ahead += between) + 1);
}

/** Smallest i of 0 .. n - 1 that passes, n if none does; what follows one that passes must pass too. */
function firstWhere(n: number, passes: (i: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
