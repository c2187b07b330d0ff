import type { FieldSource } from '../schema.js';
import { amazonBooks } from './amazon.js';
import { ml100k, ml1m } from './movielens.js';
import type { Input, OutputColumn, Rows } from './row.js';
import { yelp2018 } from './yelp.js';

/** A file of the publisher, and how it becomes one of ours. */
export interface OriginalTable {
  /** Of its base name, with or without .gz. */
  readonly pattern: RegExp;
  /** Its name in messages. */
  readonly name: string;
  readonly rows: (input: Input) => Rows;
}

/** Sizes as somebody has published them, before any filter. */
export interface PublishedSize {
  readonly by: string;
  readonly users: number;
  readonly items: number;
  readonly interactions: number;
}

/** Something to fetch. */
export interface Download {
  readonly url: string;
  /** Of the whole file, where it has been published. */
  readonly sha256?: string;
  readonly bytes?: number;
}

/** A data set that has been published, in RecBole's form and in its publisher's. */
export interface KnownSet {
  readonly name: string;
  /** The columns that are written: those that the paper loads, and a few that come cheap. */
  readonly columns: Readonly<Partial<Record<FieldSource, readonly OutputColumn[]>>>;
  /** Names that archives give these columns: theirs to ours. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly original: Readonly<Partial<Record<FieldSource, OriginalTable>>>;
  readonly sizes: readonly PublishedSize[];
  readonly recbole: readonly Download[];
  /** Empty where the publisher wants an agreement first. */
  readonly publisher: readonly Download[];
  readonly home: string;
  readonly licence: string;
}

/** The sets that `prepare` and `download` know by name. */
export const knownSets: readonly KnownSet[] = [ml1m, yelp2018, amazonBooks, ml100k];

/** The set of that name, or null. */
export function knownSet(name: string): KnownSet | null {
  return knownSets.find((one) => one.name === name) ?? null;
}
