/** Valid scores of a trial by epoch; epochs that were not evaluated are left out. */
export type Curve = readonly { readonly epoch: number; readonly score: number }[];

/** A trial that ended; one that was not pruned got as far as it could, also where early stopping ended it. */
export interface Earlier {
  readonly curve: Curve;
  readonly isWhole: boolean;
}

/** How bad trials are told from the others. */
export interface PruneRule {
  readonly pruner: 'median' | 'halving' | 'none';
  /** Whether a larger score is the better one. */
  readonly bigger: boolean;
  /** Trials that run to their end before any is ended early. */
  readonly startup: number;
  /** Epochs that every trial gets. */
  readonly warmup: number;
}

/** Of each three trials at a rung, one goes on to the next, which is three times as far. */
const factor = 3;

/** The best score within the first `epochs` epochs; infinitely bad if there is none. */
export function bestOf(curve: Curve, bigger: boolean, epochs = Infinity): number {
  const scores = curve
    .filter(({ epoch, score }) => epoch < epochs && !Number.isNaN(score))
    .map(({ score }) => score);
  return bigger ? Math.max(...scores) : Math.min(...scores);
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Whether a trial is to end after the last epoch of its curve, given those of the trials before it. `median`: its best
 * so far is worse than the median of theirs (Golovin et al. 2017). `halving`: at warmup, 3 · warmup, 9 · warmup …
 * epochs it is not among the best third of those that got there (Li et al. 2020, ASHA).
 */
export function isPruned(curve: Curve, before: readonly Earlier[], rule: PruneRule): boolean {
  const { pruner, bigger, startup, warmup } = rule;
  const epochs = (curve.at(-1)?.epoch ?? -1) + 1;
  if (pruner === 'none' || epochs < warmup || before.length < startup) return false;
  if (pruner === 'halving' && !isRung(epochs, warmup)) return false;
  const reached = before.filter(({ curve, isWhole }) => isWhole || (curve.at(-1)?.epoch ?? -1) + 1 >= epochs);
  const others = reached.map((one) => bestOf(one.curve, bigger, epochs)).filter(Number.isFinite);
  if (others.length === 0) return false;
  const own = bestOf(curve, bigger, epochs);
  const isWorse = (than: number) => (bigger ? own < than : own > than);
  if (pruner === 'median') return isWorse(median(others));
  return others.filter(isWorse).length >= Math.max(1, Math.floor((others.length + 1) / factor));
}

function isRung(epochs: number, warmup: number): boolean {
  let rung = warmup;
  while (rung < epochs) rung *= factor;
  return rung === epochs;
}
