import { pcg4d, Stream } from '../../engine/index.js';
import { ConfigError } from '../errors.js';
import { formatLiteral, type ConfigValue } from '../config/literal.js';
import { gridOf, sample, type Dimension, type Draw, type Params } from './space.js';
import { suggestTpe, type Judged } from './tpe.js';

/** RecBole's names of the ways to search. */
export type Algorithm = 'exhaustive' | 'random' | 'bayes';

/** What to try next: trial by trial the same for the same seed and the same results before. */
export interface Search {
  /** How many different trials there are; null: no end of them. */
  readonly size: number | null;
  /** The values of the trial after `trials`, or null if all have been tried. */
  suggest(trials: readonly Judged[]): Params | null;
}

/** What a search is made from. */
export interface SearchOptions {
  readonly algo: Algorithm;
  readonly seed: number;
  /** Trials at random before bayes looks at results. */
  readonly startup: number;
}

// An order of all of them is kept in memory; nobody trains as many.
const mostTrials = 1_000_000;
/** Draws of values that were tried before a search is taken to be at its end, as RecBole has it. */
const tries = 1000;

/** Random numbers that belong to one trial, so that a search can go on at any of them. */
export function drawsOf(seed: number, trial: number): Draw {
  const { step, stream } = Stream.named(seed, 'search', trial);
  let index = 0;
  return () => (pcg4d(seed >>> 0, step, stream, index++)[0] + 0.5) * 2 ** -32;
}

const textOf = (params: Params) => formatLiteral(params);

/** Opens a search. Throws ConfigError where all is to be tried and there is no end of it. */
export function openSearch(space: readonly Dimension[], options: SearchOptions): Search {
  return options.algo === 'exhaustive' ? exhaustive(space, options.seed) : guided(space, options);
}

/** Every combination once, in an order of chance. */
function exhaustive(space: readonly Dimension[], seed: number): Search {
  const grids = space.map(gridOf);
  const size = grids.reduce((product, { length }) => product * length, 1);
  if (size > mostTrials) {
    throw new ConfigError(
      `--algo=exhaustive: ${size.toLocaleString('en-US')} combinations, at most ` +
        `${mostTrials.toLocaleString('en-US')} can be tried; use --algo=random or bayes`,
    );
  }
  const order = shuffled(size, drawsOf(seed, 0));
  return {
    size,
    suggest: ({ length }) => (length < size ? combination(space, grids, order[length]) : null),
  };
}

function shuffled(count: number, draw: Draw): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The combination of a number, the last dimension the fastest. */
function combination(
  space: readonly Dimension[],
  grids: readonly (readonly ConfigValue[])[],
  number: number,
): Params {
  const values = grids.map(() => null as ConfigValue);
  for (let i = grids.length - 1, left = number; i >= 0; i--) {
    values[i] = grids[i][left % grids[i].length];
    left = Math.floor(left / grids[i].length);
  }
  return Object.fromEntries(space.map(({ name }, i) => [name, values[i]]));
}

/** By chance alone, or by chance and what came of it; nothing is tried twice, as it would end the same. */
function guided(space: readonly Dimension[], { algo, seed, startup }: SearchOptions): Search {
  return {
    size: sizeOf(space),
    suggest(trials) {
      const tried = new Set(trials.map(({ params }) => textOf(params)));
      const draw = drawsOf(seed, trials.length);
      for (let i = 0; i < tries; i++) {
        // Where its favourites are all tried, bayes goes on by chance.
        const isBayes = algo === 'bayes' && trials.length >= startup && i < tries / 10;
        const params = isBayes ? suggestTpe(space, trials, draw) : sampleAll(space, draw);
        if (!tried.has(textOf(params))) return params;
      }
      return null;
    },
  };
}

const sampleAll = (space: readonly Dimension[], draw: Draw): Params =>
  Object.fromEntries(space.map((dimension) => [dimension.name, sample(dimension, draw)]));

function sizeOf(space: readonly Dimension[]): number | null {
  const isEndless = (one: Dimension) =>
    one.kind === 'numeric' && (one.step === null || one.prior === 'normal');
  if (space.some(isEndless)) return null;
  return space.reduce((product, dimension) => product * gridOf(dimension).length, 1);
}
