/**
 * What a data set looks like once loaded: the structural types between data/, models/ and cli/.
 * Every column is a typed array; ids are remapped, 0 is [PAD].
 */

export type FieldType = 'token' | 'token_seq' | 'float' | 'float_seq';
/** Which atomic file a field comes from. */
export type FieldSource = 'inter' | 'user' | 'item';

/** A token field: one id a row, its rows in the joint table start at `offset`. */
export interface TokenField {
  readonly name: string;
  readonly source: FieldSource;
  /** Distinct tokens + 1 for [PAD] (RecBole's `num(field)`). */
  readonly cardinality: number;
  /** First row of this field in the one table that all token fields share. */
  readonly offset: number;
}

/** A token sequence: right-padded with 0 to `maxLength`; each has a table of its own, `cardinality` rows. */
export interface TokenSeqField {
  readonly name: string;
  readonly source: FieldSource;
  readonly cardinality: number;
  readonly maxLength: number;
}

/** A float feature: (value, index) pairs; not discretised it has 2 rows and index 1, discretised value 1 and a bucket. */
export interface FloatField {
  readonly name: string;
  readonly source: FieldSource;
  readonly cardinality: number;
  readonly offset: number;
}

/**
 * Model inputs. Order of each list is RecBole's: columns of .inter, then .user, then .item.
 * The field axis of an embedded batch is tokenSeq, then token, then float.
 */
export interface Schema {
  readonly token: readonly TokenField[];
  readonly tokenSeq: readonly TokenSeqField[];
  readonly float: readonly FloatField[];
  /** USER_ID_FIELD and ITEM_ID_FIELD: the token fields by which user and item features are joined. */
  readonly userField: string;
  readonly itemField: string;
}

/** One column of a table with `rows` rows. */
export type Column =
  | { readonly type: 'token'; readonly ids: Uint32Array }
  /** ids [rows, maxLength] row-major, right-padded with 0. */
  | { readonly type: 'token_seq'; readonly ids: Uint32Array; readonly maxLength: number }
  /** `index` is present for float features of the model (see FloatField). */
  | { readonly type: 'float'; readonly values: Float32Array; readonly index?: Uint32Array }
  | { readonly type: 'float_seq'; readonly values: Float32Array; readonly maxLength: number };

/** Named columns of equal length. User and item tables are indexed by id, row 0 is [PAD]. */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
}

/** Row numbers of `Dataset.inter` for each phase, in evaluation order (training is shuffled every epoch). */
export interface Split {
  readonly train: Uint32Array;
  readonly valid: Uint32Array;
  readonly test: Uint32Array;
}

/** A loaded data set. */
export interface Dataset {
  readonly name: string;
  readonly schema: Schema;
  /**
   * Interactions in file order after filtering, ids remapped: every loaded column of the .inter files, with user and
   * item ids and the raw rating (the array of `rating`). Which columns are model inputs says `schema`.
   */
  readonly inter: Table;
  /** Row = user id, without the id column itself; null without a .user file. */
  readonly users: Table | null;
  /** Row = item id, without the id column itself; null without an .item file. */
  readonly items: Table | null;
  /** Raw rating per interaction (before any normalisation); null if the set has none. Never a model input. */
  readonly rating: Float32Array | null;
  /** 0/1 per interaction; null if neither a label column nor a threshold is given. */
  readonly label: Float32Array | null;
  /** Field → tokens by id; entry 0 is '[PAD]'. Fields joined by alias_of_* share one array. */
  readonly vocabularies: ReadonlyMap<string, readonly string[]>;
  /** Rows of `inter` that came from each file of benchmark_filename, in order: the split was made before. */
  readonly benchmark?: readonly number[];
}
