import type { FieldSource } from '../schema.js';
import { column, EFFECT, type Column, type Effect, type Subject } from './columns.js';
import {
  daypartOf,
  dayparts,
  plantedModel,
  ratingCuts,
  ratingOf,
  timesOf,
  type PlantedModel,
} from './model.js';
import { itemDraws, userStarts, type ItemDraws } from './shape.js';
import type { SyntheticSpec } from './spec.js';

/** A piece of one atomic file, in order; whole lines. */
export interface SyntheticChunk {
  readonly source: FieldSource;
  readonly text: string;
}

/** 64 KiB: large enough that writing it costs more than handing it over. */
const CHUNK_CHARS = 1 << 16;
/** (user, item) pairs on which the cuts between ratings are set: shares come out right within half a percent. */
const PILOT_PAIRS = 20_000;

/**
 * Atomic files with a planted latent-factor model, piece by piece: ratings 1 to 5, long-tailed popularity and
 * activity, fields of every type, all of which act on the rating. The same spec gives the same characters. Memory
 * grows with users and items (about 40 bytes an item, 8 a user), not with interactions.
 */
export function* synthesize(spec: SyntheticSpec): Generator<SyntheticChunk> {
  const world = worldOf(spec);
  const items = new Float32Array(spec.items * EFFECT);
  yield* itemFile(world, items);
  const cuts = pilotCuts(world, items);
  yield* userFiles(world, items, cuts);
}

/** All that is fixed before the first line is written. */
interface World {
  readonly spec: SyntheticSpec;
  readonly model: PlantedModel;
  readonly starts: Uint32Array;
  readonly draws: ItemDraws;
  readonly columns: { readonly user: readonly Column[]; readonly item: readonly Column[] };
  /** Turns counts into standings, apart for users and items. */
  readonly standing: { readonly user: (count: number) => number; readonly item: (count: number) => number };
}

function worldOf(spec: SyntheticSpec): World {
  const starts = userStarts(spec);
  const draws = itemDraws(spec);
  const columnsOf = (source: 'user' | 'item') => spec[source].map((one) => column(one, source, spec.seed));
  return {
    spec,
    model: plantedModel(spec),
    starts,
    draws,
    columns: { user: columnsOf('user'), item: columnsOf('item') },
    standing: {
      user: standings(spec.users, (user) => starts[user + 1] - starts[user]),
      item: standings(spec.items, draws.expected),
    },
  };
}

/** log(count + 1) in standard deviations from its mean over all `n`. */
function standings(n: number, countOf: (index: number) => number): (count: number) => number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const level = Math.log1p(countOf(i));
    sum += level;
    squares += level * level;
  }
  const mean = sum / n;
  // All alike: nobody stands out.
  const deviation = Math.sqrt(Math.max(0, squares / n - mean * mean)) || 1;
  return (count) => (Math.log1p(count) - mean) / deviation;
}

/** Writes the cells of one row and collects what they and the id add to the rating. */
function describe(
  world: World,
  source: 'user' | 'item',
  index: number,
  count: number,
  effect: Effect,
): string {
  const subject: Subject = { index, count, standing: world.standing[source](count) };
  effect.fill(0);
  world.model.own(source, index, effect);
  let line = String(index + 1);
  for (const { cell } of world.columns[source]) line += '\t' + cell(subject, effect);
  return line + '\n';
}

function* itemFile(world: World, items: Float32Array): Generator<SyntheticChunk> {
  const effect: Effect = new Float64Array(EFFECT);
  let text = headerOf('item_id', world.columns.item);
  for (let item = 0; item < world.spec.items; item++) {
    text += describe(world, 'item', item, world.draws.expected(item), effect);
    items.set(effect, item * EFFECT);
    if (text.length < CHUNK_CHARS) continue;
    yield { source: 'item', text };
    text = '';
  }
  yield { source: 'item', text };
}

/** .user and .inter grow together: a user's interactions follow while the user's effects are at hand. */
function* userFiles(world: World, items: Float32Array, cuts: Float64Array): Generator<SyntheticChunk> {
  const { spec, starts } = world;
  const effect: Effect = new Float64Array(EFFECT);
  // A set without user columns has no .user file.
  const hasUsers = spec.user.length > 0;
  let users = headerOf('user_id', world.columns.user);
  let inter = `user_id:token\titem_id:token\trating:float\ttimestamp:float${spec.daypart ? '\tdaypart:token' : ''}\n`;
  for (let user = 0; user < spec.users; user++) {
    users += describe(world, 'user', user, starts[user + 1] - starts[user], effect);
    inter += interactionLines(world, user, effect, items, cuts);
    if (inter.length >= CHUNK_CHARS) {
      yield { source: 'inter', text: inter };
      inter = '';
    }
    if (users.length < CHUNK_CHARS) continue;
    if (hasUsers) yield { source: 'user', text: users };
    users = '';
  }
  yield { source: 'inter', text: inter };
  if (hasUsers) yield { source: 'user', text: users };
}

function interactionLines(
  world: World,
  user: number,
  effect: Effect,
  items: Float32Array,
  cuts: Float64Array,
): string {
  const { spec, model, starts, draws } = world;
  const [start, end] = [starts[user], starts[user + 1]];
  const taken = draws.take(start, end);
  const timeAt = timesOf(spec, user, end - start);
  let lines = '';
  for (let place = start; place < end; place++) {
    const item = taken[place - start];
    const seconds = timeAt(place);
    const daypart = daypartOf(seconds);
    const rating = ratingOf(model.score(place, effect, items, item, daypart), cuts);
    lines += `${user + 1}\t${item + 1}\t${rating}\t${seconds}${spec.daypart ? `\t${dayparts[daypart]}` : ''}\n`;
  }
  return lines;
}

/** The cuts between ratings, from the scores of pairs that are drawn as interactions are. */
function pilotCuts(world: World, items: Float32Array): Float64Array {
  const { spec, model, starts, draws } = world;
  const effect: Effect = new Float64Array(EFFECT);
  const scores = new Float64Array(Math.min(PILOT_PAIRS, spec.interactions));
  let user = 0;
  for (let i = 0; i < scores.length; i++) {
    const place = Math.floor((i * spec.interactions) / scores.length);
    while (starts[user + 1] <= place) user++;
    describe(world, 'user', user, starts[user + 1] - starts[user], effect);
    scores[i] = model.score(place, effect, items, draws.peek(place), place % dayparts.length);
  }
  return ratingCuts(scores, spec.ratings);
}

const headerOf = (id: string, columns: readonly Column[]): string =>
  [`${id}:token`, ...columns.map(({ header }) => header)].join('\t') + '\n';
