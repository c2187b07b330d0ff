import jstat from 'jstat';

/** Mean and spread of repeated measurements. */
export interface MeanStd {
  readonly n: number;
  readonly mean: number;
  /** Of a sample (n − 1); NaN for fewer than two values. */
  readonly std: number;
}

/** What a paired t-test says about a − b. */
export interface PairedTTest {
  readonly n: number;
  /** Mean of a − b. */
  readonly difference: number;
  /** NaN for fewer than two pairs. */
  readonly t: number;
  /** Two-sided; NaN for fewer than two pairs. */
  readonly p: number;
}

/** Mean and sample standard deviation; NaN where there are too few values. */
export function meanStd(values: readonly number[]): MeanStd {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, std: n < 2 ? NaN : Math.sqrt(squares / (n - 1)) };
}

/** Student's two-sided tail: the chance of |T| ≥ |t| with that many degrees of freedom. */
export function studentTail(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return Number.isNaN(t) ? NaN : 0;
  // As an incomplete beta function the small tail keeps its digits, which 2·(1 − cdf) would lose.
  return jstat.jStat.ibeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** Whether a and b, measured in pairs, differ in their mean: Student 1908, two-sided. Throws RangeError. */
export function pairedTTest(a: readonly number[], b: readonly number[]): PairedTTest {
  if (a.length !== b.length) {
    throw new RangeError(`pairedTTest: ${a.length} and ${b.length} values; give pairs`);
  }
  const { n, mean, std } = meanStd(a.map((value, i) => value - b[i]));
  // Differences that are all the same: none, or one beyond doubt.
  const t = mean === 0 && std === 0 ? 0 : mean / (std / Math.sqrt(n));
  return { n, difference: mean, t, p: studentTail(t, n - 1) };
}
