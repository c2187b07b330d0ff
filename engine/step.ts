/**
 * The step state: what changes from step to step, kept on the device so that many steps go into one submit.
 *
 *   struct State {
 *     step: u32,      steps completed
 *     cursor: u32,    position of the next step in the fed chunk
 *     halted: u32,    1 once a loss was not finite: from then on nothing is updated and step and cursor stand still
 *     seed: u32,
 *     clip: f32,      factor on all gradients (clip_grad_norm), else 1
 *     (3 words unused)
 *     schedule: array<vec4f>   what the optimizer needs to know of step t, at t mod scheduleCapacity
 *   }
 */
export const stateHeaderWords = 8;
/** Steps that the schedule remembers; tables are flushed before it wraps, since a replay reads it back. */
export const scheduleCapacity = 16384;
export const stateWords = stateHeaderWords + 4 * scheduleCapacity;

/** The words of the state that the host sets. */
export interface StepPosition {
  readonly step: number;
  readonly cursor: number;
  readonly seed: number;
}

/** First words of the state: running, with gradients unclipped. */
export function stateHeader({ step, cursor, seed }: StepPosition): Uint32Array {
  const words = new Uint32Array(stateHeaderWords);
  words.set([step, cursor, 0, seed]);
  new Float32Array(words.buffer)[4] = 1;
  return words;
}
