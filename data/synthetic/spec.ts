import type { ColumnSpec } from './columns.js';

/** A synthetic data set: its size, its columns and how strongly they act. */
export interface SyntheticSpec {
  readonly name: string;
  /** The set whose columns and settings these are. */
  readonly like: Like | 'sample';
  readonly seed: number;
  readonly users: number;
  readonly items: number;
  readonly interactions: number;
  /** Least interactions of a user, where the total allows it. */
  readonly fewest: number;
  /** Standard deviation of the logarithm of the users' interactions above `fewest`. */
  readonly activitySpread: number;
  /** Popularity of the item on rank r: (r + shift)^-exponent; the shift is a share of the items. */
  readonly popularity: { readonly exponent: number; readonly shift: number };
  /** Shares of the ratings 1 to 5. */
  readonly ratings: readonly [number, number, number, number, number];
  /** A daypart column in .inter, made from the time and acting on the rating. */
  readonly daypart: boolean;
  readonly user: readonly ColumnSpec[];
  readonly item: readonly ColumnSpec[];
  /** Interactions below which users and items are to be left out. */
  readonly core: number;
  /** What the user's and the item's own id add: standard deviations of weight and of each latent component. */
  readonly own: { readonly user: Strength; readonly item: Strength };
}

/** The sets whose published size and columns can be had. */
export type Like = 'ml-100k' | 'ml-1m' | 'yelp2018' | 'amazon-books';

export interface Strength {
  readonly weight: number;
  readonly taste: number;
}
