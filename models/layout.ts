import type { FieldSource, Schema } from '../data/schema.js';

/** A run of columns of one source that lie side by side in the joined batch. */
export interface Span {
  readonly source: FieldSource;
  /** First column in the joined tensor. */
  readonly column: number;
  readonly columns: number;
  /** First column among those that the list takes from this source, and how many it takes from there. */
  readonly sourceColumn: number;
  readonly sourceColumns: number;
}

/**
 * Columns of a fed row: user and item id, label, rating class, then what the interaction itself carries: tokens, float
 * values, float indices, sequences; zeros up to a whole number of vec4s.
 */
export interface RowLayout {
  readonly width: number;
  readonly user: number;
  readonly item: number;
  readonly label: number;
  readonly ratingClass: number;
  readonly tokens: number;
  readonly floatValues: number;
  readonly floatIndices: number;
  /** First column of each sequence field; undefined where users or items carry it. */
  readonly sequences: readonly (number | undefined)[];
}

/** Runs of fields of one source, in the order of the list; fields of one source keep their order in their table. */
export function spansOf(fields: readonly { readonly source: FieldSource }[]): readonly Span[] {
  const from = (source: FieldSource, end = fields.length) =>
    fields.slice(0, end).filter((field) => field.source === source).length;
  const starts = fields.flatMap(({ source }, i) => (source === fields[i - 1]?.source ? [] : [i]));
  return starts.map((column, n) => {
    const { source } = fields[column];
    const columns = (starts[n + 1] ?? fields.length) - column;
    return { source, column, columns, sourceColumn: from(source, column), sourceColumns: from(source) };
  });
}

/** All columns of something that one source has alone. */
export const wholeSpan = (source: FieldSource, columns: number): Span => {
  return { source, column: 0, columns, sourceColumn: 0, sourceColumns: columns };
};

/** A row is of whole vec4s: kernels copy it by them, and rows of up to 64 bytes lie on few cache lines. */
export const rowUnit = 4;

/** Where everything lies in a fed row. */
export function rowLayout(schema: Schema): RowLayout {
  const count = (fields: readonly { readonly source: FieldSource }[]) =>
    fields.filter(({ source }) => source === 'inter').length;
  const tokens = 4;
  const floatValues = tokens + count(schema.token);
  const floatIndices = floatValues + count(schema.float);
  let width = floatIndices + count(schema.float);
  const sequences = schema.tokenSeq.map(({ source, maxLength }) => {
    if (source !== 'inter') return undefined;
    width += maxLength;
    return width - maxLength;
  });
  width = Math.ceil(width / rowUnit) * rowUnit;
  return { width, user: 0, item: 1, label: 2, ratingClass: 3, tokens, floatValues, floatIndices, sequences };
}

/** Under what name the ids `name` of a chunk are fed where they are fed joined. */
export const joinedInput = (name: string): string => `joined.${name}`;

/** Rows of the one table that all fields of a list share. */
export const tableRows = (fields: readonly { readonly cardinality: number }[]): number =>
  fields.reduce((sum, { cardinality }) => sum + cardinality, 0);
