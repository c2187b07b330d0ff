import type { ConfigValue } from '../config/literal.js';
import { formatLiteral } from '../config/literal.js';
import {
  drawNormal,
  latentOf,
  valueOf,
  type Choice,
  type Dimension,
  type Draw,
  type Numeric,
  type Params,
} from './space.js';

/** A trial that was judged: the smaller the loss, the better; infinite if it failed. */
export interface Judged {
  readonly params: Params;
  readonly loss: number;
}

// The settings of the paper's authors in hyperopt.
const mostGood = 25;
const candidates = 24;

/**
 * The values that most raise the odds of a good trial: l(x) / g(x) of the densities of good and other trials, each
 * dimension by itself. Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization: tree-structured Parzen
 * estimator.
 */
export function suggestTpe(space: readonly Dimension[], trials: readonly Judged[], draw: Draw): Params {
  const sorted = [...trials].sort((one, other) => compare(one.loss, other.loss));
  const count = Math.min(Math.ceil(Math.sqrt(sorted.length) / 4), mostGood);
  const values = (part: readonly Judged[], { name }: Dimension) => part.map(({ params }) => params[name]);
  const picked = space.map((dimension) => {
    const [good, other] = [sorted.slice(0, count), sorted.slice(count)];
    const pick = dimension.kind === 'choice' ? pickChoice : pickNumber;
    // Each function takes the kind that chose it.
    const value = (pick as Pick)(dimension, values(good, dimension), values(other, dimension), draw);
    return [dimension.name, value] as const;
  });
  return Object.fromEntries(picked);
}

type Pick = (
  dimension: Dimension,
  good: readonly ConfigValue[],
  other: readonly ConfigValue[],
  draw: Draw,
) => ConfigValue;

/** Infinities are equal, which a difference would not say. */
const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);

/** The candidate of the largest score. */
function best<T>(count: number, next: () => T, score: (one: T) => number): T {
  let [chosen, most] = [next(), -Infinity];
  for (let one = chosen, i = 0; i < count; one = next(), i++) {
    const value = score(one);
    if (value > most) [chosen, most] = [one, value];
  }
  return chosen;
}

/** Index of a draw by weights. */
function drawIndex(weights: readonly number[], draw: Draw): number {
  let left = draw() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (left -= weight) < 0);
  return index < 0 ? weights.length - 1 : index;
}

/** Shares of the values among trials, each seen once more than it was. */
function shares({ values }: Choice, seen: readonly ConfigValue[]): readonly number[] {
  const texts = seen.map(formatLiteral);
  return values.map((value) => {
    const count = texts.filter((text) => text === formatLiteral(value)).length;
    return (count + 1) / (seen.length + values.length);
  });
}

function pickChoice(
  dimension: Choice,
  good: readonly ConfigValue[],
  other: readonly ConfigValue[],
  draw: Draw,
): ConfigValue {
  const [l, g] = [shares(dimension, good), shares(dimension, other)];
  const index = best(
    candidates,
    () => drawIndex(l, draw),
    (i) => l[i] / g[i],
  );
  return dimension.values[index];
}

/** Normal distributions of equal weight, cut to [low, high]. */
interface Parzen {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  readonly low: number;
  readonly high: number;
}

/** One normal at each point, as wide as the way to its farther neighbour, and a wide one for the prior. */
function parzen({ prior, a, b }: Numeric, points: readonly number[]): Parzen {
  const [middle, width] = prior === 'uniform' ? [(a + b) / 2, b - a] : [a, b];
  const means = [...points, middle].sort((x, y) => x - y);
  const least = width / Math.min(100, 1 + means.length);
  const at = means.indexOf(middle);
  const deviations = means.map((mean, i) => {
    if (i === at) return width;
    const ways = [mean - (means[i - 1] ?? mean), (means[i + 1] ?? mean) - mean];
    return Math.min(Math.max(...ways, least), width);
  });
  const [low, high] = prior === 'uniform' ? [a, b] : [-Infinity, Infinity];
  return { means, deviations, low, high };
}

function drawParzen({ means, deviations, low, high }: Parzen, draw: Draw): number {
  for (;;) {
    const i = Math.floor(draw() * means.length);
    const z = means[i] + deviations[i] * drawNormal(draw);
    // The means lie within, so that no more than every other draw is lost at an end.
    if (z >= low && z < high) return z;
  }
}

/** Logarithm of the density at z. */
function logDensity({ means, deviations, low, high }: Parzen, z: number): number {
  let [density, inside] = [0, 0];
  for (const [i, mean] of means.entries()) {
    const deviation = deviations[i];
    density += Math.exp(-0.5 * ((z - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
    inside += normalBelow((high - mean) / deviation) - normalBelow((low - mean) / deviation);
  }
  return Math.log(Math.max(density / inside, Number.MIN_VALUE));
}

/** Share of a standard normal below x, to 1e-7. Abramowitz and Stegun 1964, 26.2.17. */
export function normalBelow(x: number): number {
  if (x < 0) return 1 - normalBelow(-x);
  if (x > 40) return 1;
  const t = 1 / (1 + 0.2316419 * x);
  const factors = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = factors.reduceRight((rest, factor) => t * (factor + rest), 0);
  return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

function pickNumber(
  dimension: Numeric,
  good: readonly ConfigValue[],
  other: readonly ConfigValue[],
  draw: Draw,
): ConfigValue {
  const latent = (values: readonly ConfigValue[]) =>
    values.map((value) => latentOf(dimension, Number(value)));
  const [l, g] = [parzen(dimension, latent(good)), parzen(dimension, latent(other))];
  const z = best(
    candidates,
    () => drawParzen(l, draw),
    (one) => logDensity(l, one) - logDensity(g, one),
  );
  return valueOf(dimension, z);
}
