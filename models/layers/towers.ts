import { concat, resize, type Tensor } from '../../engine/index.js';
import type { FieldSource, Schema } from '../../data/schema.js';
import type { Batch } from '../batch.js';
import { embeddings, flatten } from '../layers.js';
import type { Builder } from '../model.js';

/** Whom a field describes. */
export type Side = 'user' | 'item';

const sides: readonly Side[] = ['user', 'item'];

interface SidedField {
  readonly name: string;
  readonly source: FieldSource;
}

/** The side of a field; none for what belongs to the interaction alone. */
function sideOf({ userField, itemField }: Schema, { name, source }: SidedField): Side | undefined {
  if (source === 'user' || name === userField) return 'user';
  return source === 'item' || name === itemField ? 'item' : undefined;
}

/**
 * The fields of users, then those of items, as RecBole orders them for two towers; those of interactions are left out. The
 * rows of shared tables follow that order.
 */
export function twoSided(schema: Schema): Schema {
  const sorted = <T extends SidedField>(fields: readonly T[]) =>
    sides.flatMap((side) => fields.filter((field) => sideOf(schema, field) === side));
  const stacked = <T extends SidedField & { readonly cardinality: number }>(fields: readonly T[]) => {
    let rows = 0;
    return sorted(fields).map((field) => {
      rows += field.cardinality;
      return { ...field, offset: rows - field.cardinality };
    });
  };
  const { token, tokenSeq, float } = schema;
  return { ...schema, token: stacked(token), tokenSeq: sorted(tokenSeq), float: stacked(float) };
}

/** Fields of each list that belong to a side. */
function counts(schema: Schema, side: Side) {
  const count = (fields: readonly SidedField[]) =>
    fields.filter((field) => sideOf(schema, field) === side).length;
  return [count(schema.tokenSeq), count(schema.token), count(schema.float)] as const;
}

/** Fields of a side. */
export const sideCount = (schema: Schema, side: Side): number =>
  counts(schema, side).reduce((a, count) => a + count, 0);

/**
 * Embeddings of a two-sided schema: batch → users [B,F_u·D] and items [B,F_i·D], in each sequences, tokens, floats.
 */
export function sidedEmbeddings(b: Builder): (batch: Batch) => Readonly<Record<Side, Tensor>> {
  const embed = embeddings(b, '', b.embeddingSize, 'mean');
  const [users, items] = sides.map((side) => counts(b.schema, side));
  return (batch) => {
    const parts = embed(batch);
    const sequences = parts.splice(0, batch.sequences.length);
    // What is left are tokens, if there are any, and floats, if there are any.
    const lists = [1, 2].filter((list) => users[list] + items[list] > 0);
    const cut = (counts: readonly number[], first: (list: number) => number) =>
      lists.flatMap((list, i) => {
        const width = counts[list] * b.embeddingSize;
        return width === 0 ? [] : [resize(flatten(parts[i]), width, first(list) * b.embeddingSize)];
      });
    const side = (own: readonly Tensor[], rest: readonly Tensor[]) =>
      concat([...own.map(flatten), ...rest], 1);
    return {
      user: side(
        sequences.slice(0, users[0]),
        cut(users, () => 0),
      ),
      item: side(
        sequences.slice(users[0]),
        cut(items, (list) => users[list]),
      ),
    };
  };
}
