import { normal, shuffled, streamKey, uniform, zipf } from './random.js';
import type { SyntheticSpec } from './spec.js';

/**
 * Who interacts how often: user u has interactions starts[u] .. starts[u + 1] of the set. Long-tailed, at least
 * `fewest` each where the total allows it, exactly `interactions` in all.
 */
export function userStarts(spec: SyntheticSpec): Uint32Array {
  const { users, items, interactions, activitySpread } = spec;
  const key = streamKey(spec.seed, 'activity');
  const weight = (user: number) => Math.exp(activitySpread * normal(key, user));
  let total = 0;
  for (let user = 0; user < users; user++) total += weight(user);
  const fewest = Math.min(spec.fewest, Math.floor(interactions / users));
  const spare = interactions - fewest * users;
  // Nobody knows more than half of the items, unless the set is denser than that.
  const most = Math.max(Math.ceil(items / 2), Math.ceil(interactions / users));
  const counts = new Uint32Array(users);
  let [passed, given, owed] = [0, 0, 0];
  for (let user = 0; user < users; user++) {
    passed += weight(user);
    const share = user === users - 1 ? spare : Math.floor((spare * passed) / total);
    owed += share - given;
    given = share;
    counts[user] = fewest + Math.min(owed, most - fewest);
    owed -= counts[user] - fewest;
  }
  // What the last users could not take goes back to those with room.
  for (let user = users - 1; owed > 0; user--) {
    const more = Math.min(owed, most - counts[user]);
    counts[user] += more;
    owed -= more;
  }
  const starts = new Uint32Array(users + 1);
  for (let user = 0; user < users; user++) starts[user + 1] = starts[user] + counts[user];
  return starts;
}

/** Draws the items of one user after the other. */
export interface ItemDraws {
  /** Expected number of interactions of an item. */
  expected(item: number): number;
  /** An item by popularity, the same for the same place; items may repeat from place to place. */
  peek(place: number): number;
  /** Distinct items for interactions start .. end of the set, which are one user's. The array is reused. */
  take(start: number, end: number): Uint32Array;
}

/**
 * Popular items come often, every item comes at least once in the whole set if it is long enough, none comes twice
 * for a user. Users must be taken in order, from interaction 0 on.
 */
export function itemDraws(spec: SyntheticSpec): ItemDraws {
  const { items, interactions, popularity } = spec;
  const law = zipf(items, popularity.exponent, popularity.shift * items);
  const key = streamKey(spec.seed, 'items');
  const byRank = shuffled(items, streamKey(spec.seed, 'popularity'));
  const rankOf = new Uint32Array(items);
  byRank.forEach((item, rank) => (rankOf[item] = rank));
  const owner = new Uint32Array(items);
  let buffer = new Uint32Array(1024);
  let user = 0;
  const covered = Math.min(items, interactions);
  const firstFree = (rank: number) => {
    while (owner[byRank[rank]] === user) rank = rank + 1 === items ? 0 : rank + 1;
    return rank;
  };
  const draw = (place: number) => {
    for (let attempt = 0; attempt < 4; attempt++) {
      const rank = law.rank(uniform(key + attempt, place));
      if (owner[byRank[rank]] !== user) return byRank[rank];
    }
    // A busy user has most popular items already: the next one down the list.
    return byRank[firstFree(law.rank(uniform(key, place)))];
  };
  const add = (item: number, at: number) => {
    owner[item] = user;
    buffer[at] = item;
  };
  return {
    expected: (item) => interactions * law.probability(rankOf[item]),
    peek: (place) => byRank[law.rank(uniform(key, place))],
    take(start, end) {
      user++;
      const count = end - start;
      if (buffer.length < count) buffer = new Uint32Array(2 * count);
      // Each user carries a fair share of the items that all must appear.
      const first = Math.floor((covered * start) / interactions);
      const forced = Math.floor((covered * end) / interactions) - first;
      for (let i = 0; i < forced; i++) add(first + i, i);
      for (let i = forced; i < count; i++) add(draw(start + i), i);
      // The forced ones must not always be a user's earliest.
      for (let i = 0; i < forced; i++) {
        const j = i + Math.floor(uniform(~key, start + i) * (count - i));
        [buffer[i], buffer[j]] = [buffer[j], buffer[i]];
      }
      return buffer.subarray(0, count);
    },
  };
}
