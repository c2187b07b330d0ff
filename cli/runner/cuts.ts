import { scheduleCapacity } from '../../engine/index.js';

/** Steps [first, last) of an epoch that are fed and submitted together. */
export interface Cut {
  readonly first: number;
  readonly last: number;
  /** All tables are brought up to date after it. */
  readonly flush: boolean;
}

/** Steps between two flushes, well within the schedule that a replay reads back. */
export const flushSteps = scheduleCapacity / 2;

/** The last flush at or before step `step` of an epoch; each epoch starts from flushed tables. */
export const flushBefore = (step: number): number => Math.floor(step / flushSteps) * flushSteps;

/**
 * Cuts the steps [from, steps) of an epoch into chunks. Flushes come at multiples of flushSteps and at the
 * end, wherever a run was stopped: a flush in another place would round otherwise.
 */
export function cutsOf(from: number, steps: number, chunkSteps: number): readonly Cut[] {
  const cuts: Cut[] = [];
  for (let first = from; first < steps;) {
    const fence = flushBefore(first) + flushSteps;
    const last = Math.min(steps, first + chunkSteps, fence);
    cuts.push({ first, last, flush: last === fence || last === steps });
    first = last;
  }
  return cuts;
}

/** Chunks that rows to score are cut into at least, so that little waits for the first to be laid out. */
const chunksPerScoring = 4;

/** Steps of a chunk where so many are to be scored, at most `chunkSteps`. */
export const scoredSteps = (steps: number, chunkSteps: number): number =>
  Math.min(chunkSteps, Math.max(1, Math.ceil(steps / chunksPerScoring)));
