/** Where early stopping stands. */
export interface StoppingState {
  /** Best score so far; infinitely bad before the first. */
  readonly best: number;
  /** Epoch of the best score, from 0; -1 before the first. */
  readonly bestEpoch: number;
  /** Evaluations since then. */
  readonly waited: number;
}

/** How scores are judged. */
export interface StoppingRule {
  /** Whether a larger score is the better one. */
  readonly bigger: boolean;
  /** Evaluations without improvement that are forgiven. */
  readonly patience: number;
}

/** What a score means for the run. */
export interface Verdict {
  readonly state: StoppingState;
  /** The score is the best so far, or as good: its model is the one to keep. */
  readonly improved: boolean;
  readonly stop: boolean;
}

/** Before any evaluation. */
export function noScore({ bigger }: StoppingRule): StoppingState {
  return { best: bigger ? -Infinity : Infinity, bestEpoch: -1, waited: 0 };
}

/**
 * Judges the score of an epoch as RecBole does: a tie with the best counts as improvement, and a run ends
 * after patience + 1 evaluations in a row without one. NaN never improves.
 */
export function judge(before: StoppingState, epoch: number, score: number, rule: StoppingRule): Verdict {
  const improved = rule.bigger ? score >= before.best : score <= before.best;
  const state = improved
    ? { best: score, bestEpoch: epoch, waited: 0 }
    : { ...before, waited: before.waited + 1 };
  return { state, improved, stop: isOver(state, rule) };
}

/** Whether patience is at its end. */
export function isOver({ waited }: StoppingState, { patience }: StoppingRule): boolean {
  return waited > patience;
}
