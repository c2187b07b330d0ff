import type { FieldSource, FieldType } from '../schema.js';
import { below, bits, normal, streamKey, uniform, zipf } from './random.js';

/** Length of the planted latent vectors. */
export const LATENT = 4;
/** [weight, vector]: what a row's cells add to the rating, laid out as 1 + LATENT numbers. */
export type Effect = Float64Array;
export const EFFECT = 1 + LATENT;

/** How the cells of one column are made. */
export type Cells =
  /** A token of a vocabulary: words, or `prefix` and a number; frequencies fall as rank^-skew. */
  | { readonly kind: 'category'; readonly values: Vocabulary; readonly skew: number }
  /** Up to `most` distinct tokens of a vocabulary, separated by spaces. */
  | { readonly kind: 'tags'; readonly values: Vocabulary; readonly skew: number; readonly most: number }
  /** A token that is a whole number, bell-shaped between the ends; neighbours have like effects. */
  | { readonly kind: 'number'; readonly low: number; readonly high: number }
  /** A float that tells how busy the user or how popular the item is: 0 to 100, or the number of interactions. */
  | { readonly kind: 'standing'; readonly unit: 'score' | 'count' }
  /** A float of its own, long-tailed around `middle`, with `decimals` places. */
  | { readonly kind: 'amount'; readonly middle: number; readonly decimals: number }
  /** A five-digit token without meaning. */
  | { readonly kind: 'code' };

export type Vocabulary = readonly string[] | { readonly count: number; readonly prefix: string };

/** One column of a synthetic .user or .item file. */
export interface ColumnSpec {
  readonly name: string;
  readonly cells: Cells;
  /** Standard deviation of the column's direct effect on the rating; the sign matters for floats. */
  readonly weight: number;
  /** Standard deviation of its share in each latent component. */
  readonly taste: number;
  /** Share of empty cells; they have no effect. */
  readonly missing?: number;
}

/** What a cell may depend on. */
export interface Subject {
  readonly index: number;
  /** Interactions of the user, or expected ones of the item. */
  readonly count: number;
  /** log(count) in standard deviations from its mean. */
  readonly standing: number;
}

/** A column ready to be written. */
export interface Column {
  /** `name:type` */
  readonly header: string;
  /** The cell's text; adds its effect to `effect`. */
  readonly cell: Cell;
}
type Cell = (subject: Subject, effect: Effect) => string;

const typeOf: Readonly<Record<Cells['kind'], FieldType>> = {
  category: 'token',
  tags: 'token_seq',
  number: 'token',
  standing: 'float',
  amount: 'float',
  code: 'token',
};

/** Makes a column's cells under the seed of the set; equal names in two files are two streams. */
export function column(spec: ColumnSpec, source: FieldSource, seed: number): Column {
  const key = streamKey(seed, `${source}.${spec.name}`);
  const write = cellOf(spec, key);
  const missing = spec.missing ?? 0;
  const missingKey = streamKey(key, 'missing');
  const cell: Cell = (subject, effect) =>
    missing > 0 && uniform(missingKey, subject.index) < missing ? '' : write(subject, effect);
  return { header: `${spec.name}:${typeOf[spec.cells.kind]}`, cell };
}

function cellOf(spec: ColumnSpec, key: number): Cell {
  const { cells } = spec;
  switch (cells.kind) {
    case 'category':
      return categoryCell(cells, valueEffects(spec, key), key);
    case 'tags':
      return tagsCell(cells, valueEffects(spec, key), key);
    case 'number':
      return numberCell(cells, valueEffects(spec, key), key);
    case 'standing':
      return standingCell(cells, linearEffect(spec, key));
    case 'amount':
      return amountCell(cells, linearEffect(spec, key), key);
    case 'code':
      return ({ index }) => String(10000 + (bits(key, index) % 90000));
  }
}

type Kind<K extends Cells['kind']> = Extract<Cells, { kind: K }>;

function categoryCell({ values, skew }: Kind<'category'>, add: ValueEffects, key: number): Cell {
  const law = zipf(sizeOf(values), skew, 1);
  return ({ index }, effect) => {
    const value = law.rank(uniform(key, index));
    add(value, 1, effect);
    return word(values, value);
  };
}

function tagsCell({ values, skew, most }: Kind<'tags'>, add: ValueEffects, key: number): Cell {
  const law = zipf(sizeOf(values), skew, 1);
  const countKey = streamKey(key, 'count');
  return ({ index }, effect) => {
    const tags = new Set<number>();
    const draws = 1 + below(most, countKey, index);
    for (let i = 0; i < draws; i++) tags.add(law.rank(uniform(key, index * most + i)));
    let text = '';
    for (const tag of tags) {
      add(tag, 1 / Math.sqrt(tags.size), effect);
      text += (text === '' ? '' : ' ') + word(values, tag);
    }
    return text;
  };
}

function numberCell({ low, high }: Kind<'number'>, add: ValueEffects, key: number): Cell {
  return ({ index }, effect) => {
    // Three standard deviations either way fill the range.
    const spread = Math.max(-1, Math.min(1, normal(key, index) / 3));
    // A wave over the range: next neighbours are alike, far ends are not; its mean square is near 1.
    add(0, Math.SQRT2 * Math.sin(Math.PI * 1.5 * spread), effect);
    return String(Math.round((low + high) / 2 + (spread * (high - low)) / 2));
  };
}

function standingCell({ unit }: Kind<'standing'>, add: LinearEffect): Cell {
  return ({ standing, count }, effect) => {
    add(standing, effect);
    if (unit === 'count') return String(Math.max(1, Math.round(count)));
    return (50 + 50 * Math.tanh(standing / 2)).toFixed(1);
  };
}

function amountCell({ middle, decimals }: Kind<'amount'>, add: LinearEffect, key: number): Cell {
  return ({ index }, effect) => {
    const level = normal(key, index);
    add(level, effect);
    return (middle * Math.exp(0.8 * level)).toFixed(decimals);
  };
}

type ValueEffects = (value: number, share: number, into: Effect) => void;
type LinearEffect = (level: number, into: Effect) => void;

/** Adds `share` times the planted weight and vector of a column's value. */
export function valueEffects(
  { weight, taste }: Pick<ColumnSpec, 'weight' | 'taste'>,
  key: number,
): ValueEffects {
  const effectKey = streamKey(key, 'effect');
  return (value, share, into) => {
    if (weight !== 0) into[0] += share * weight * normal(effectKey, value * EFFECT);
    if (taste === 0) return;
    for (let d = 1; d < EFFECT; d++) into[d] += share * taste * normal(effectKey, value * EFFECT + d);
  };
}

/** A float acts in proportion: the weight as given, the vector in one planted direction. */
function linearEffect({ weight, taste }: ColumnSpec, key: number): LinearEffect {
  const vector = valueEffects({ weight: 0, taste }, key);
  return (level, into) => {
    into[0] += weight * level;
    vector(0, level, into);
  };
}

const sizeOf = (values: Vocabulary): number => ('count' in values ? values.count : values.length);
const word = (values: Vocabulary, i: number): string =>
  'count' in values ? `${values.prefix}${i + 1}` : values[i];
