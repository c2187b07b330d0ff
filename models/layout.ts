import type { FieldSource, Schema } from '../data/schema.js';

/** A run of columns of one source that lie side by side in the joined batch. */
export interface Span {
  readonly source: FieldSource;
  /** First column in the joined tensor. */
  readonly column: number;
  readonly columns: number;
}

/**
 * Columns of a fed row: user and item id, label, rating class, then what the interaction itself carries: tokens, float
 * values, float indices, sequences.
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

/** Fields of a list by source, which the schema orders .inter, .user, .item. */
export function spansOf(fields: readonly { readonly source: FieldSource }[]): readonly Span[] {
  let column = 0;
  return (['inter', 'user', 'item'] as const).flatMap((source): Span[] => {
    const columns = fields.filter((field) => field.source === source).length;
    const span = { source, column, columns };
    column += columns;
    return columns === 0 ? [] : [span];
  });
}

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
  return { width, user: 0, item: 1, label: 2, ratingClass: 3, tokens, floatValues, floatIndices, sequences };
}

/** Rows of the one table that all fields of a list share. */
export const tableRows = (fields: readonly { readonly cardinality: number }[]): number =>
  fields.reduce((sum, { cardinality }) => sum + cardinality, 0);
