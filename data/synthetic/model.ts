import { EFFECT, valueEffects, type Effect } from './columns.js';
import { normal, streamKey, uniform } from './random.js';
import type { SyntheticSpec, Strength } from './spec.js';

/** The four parts of a day; .inter's context field. */
export const dayparts: readonly string[] = ['night', 'morning', 'afternoon', 'evening'];

/** Which of `dayparts` a time in seconds since 1970 is in. */
export const daypartOf = (seconds: number): number => Math.floor((seconds % 86400) / 21600);

/**
 * The planted model: a factorization machine over every value of every field, ids included, and noise on top.
 *
 *   score = w_user + w_item + w_context + ⟨v_user, v_item⟩ + ⟨v_user + v_item, v_context⟩ + ε,  ε ~ N(0, 1)
 *
 * where w and v of a user sum over the user's fields, and so for items. A rating is 1 plus the number of cuts below
 * the score. Rendle 2010.
 */
export interface PlantedModel {
  /** Adds what the user's or the item's own id does. */
  own(source: 'user' | 'item', index: number, effect: Effect): void;
  /** Score of interaction number `place`; `items` holds EFFECT numbers an item. */
  score(place: number, user: Effect, items: Float32Array, item: number, context: number): number;
}

/** The model of a set, from its seed. */
export function plantedModel(spec: SyntheticSpec): PlantedModel {
  const noise = streamKey(spec.seed, 'noise');
  const own = { user: ownEffects(spec, 'user'), item: ownEffects(spec, 'item') };
  const contexts = contextEffects(spec);
  return {
    own: (source, index, effect) => own[source](index, 1, effect),
    score(place, user, items, item, context) {
      const [at, c] = [item * EFFECT, context * EFFECT];
      let sum = user[0] + items[at] + contexts[c] + normal(noise, place);
      for (let d = 1; d < EFFECT; d++) {
        sum += user[d] * items[at + d] + (user[d] + items[at + d]) * contexts[c + d];
      }
      return sum;
    },
  };
}

function ownEffects(spec: SyntheticSpec, source: 'user' | 'item'): ReturnType<typeof valueEffects> {
  return valueEffects(spec.own[source], streamKey(spec.seed, `${source} id`));
}

/** [dayparts, EFFECT]; zeros where the set has no context. */
function contextEffects(spec: SyntheticSpec): Float64Array {
  const strength: Strength = spec.daypart ? { weight: 0.2, taste: 0.15 } : { weight: 0, taste: 0 };
  const add = valueEffects(strength, streamKey(spec.seed, 'daypart'));
  const effects = new Float64Array(dayparts.length * EFFECT);
  dayparts.forEach((_, i) => add(i, 1, effects.subarray(i * EFFECT, (i + 1) * EFFECT)));
  return effects;
}

/** Cuts between the five ratings, so that scores like these fall into them in the given shares. Sorts `scores`. */
export function ratingCuts(scores: Float64Array, shares: readonly number[]): Float64Array {
  scores.sort();
  let passed = 0;
  const cuts = shares.slice(0, -1).map((share) => {
    passed += share;
    return scores[Math.min(scores.length - 1, Math.floor(passed * scores.length))];
  });
  return Float64Array.from(cuts);
}

/** 1 to 5. */
export function ratingOf(score: number, cuts: Float64Array): number {
  let rating = 1;
  for (const cut of cuts) if (score >= cut) rating++;
  return rating;
}

const FIRST_SECOND = 946_684_800;
/** Three years. */
const SPAN = 94_608_000;

/** Times of a user's interactions, ascending: `next(place)` in seconds since 1970, sittings with pauses between. */
export function timesOf(spec: SyntheticSpec, user: number, count: number): (place: number) => number {
  const key = streamKey(spec.seed, 'time');
  let now = FIRST_SECOND + Math.floor(uniform(~key, user) * SPAN * 0.8);
  const pause = (FIRST_SECOND + SPAN - now) / count;
  return (place) => {
    const u = uniform(key, place);
    // One in ten comes after a pause, the others within minutes.
    const gap = u < 0.1 ? pause * 100 * u : 30 + 300 * (u - 0.1);
    now = Math.min(FIRST_SECOND + SPAN, now + Math.round(gap));
    return now;
  };
}
