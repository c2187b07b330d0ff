import { Interner } from '../../data/interner.js';

/** Ids of the tokens of a field; a token that is not among them has none. */
export type Ids = ReadonlyMap<string, number>;

/** The ids of each field, made when they are first asked for; fields that share their tokens share them. */
export function idsByField(vocabularies: ReadonlyMap<string, readonly string[]>): (field: string) => Ids {
  const made = new Map<readonly string[], Ids>();
  return (field) => {
    const tokens = vocabularies.get(field) ?? [];
    const known = made.get(tokens) ?? numbered(tokens);
    made.set(tokens, known);
    return known;
  };
}

function numbered(tokens: readonly string[]): Ids {
  const ids = new Map<string, number>();
  // Id 0 is [PAD], which no token of the data stands for.
  for (let id = 1; id < tokens.length; id++) ids.set(tokens[id], id);
  return ids;
}

/** The id of each provisional id of `tokens`, 0 for a token without one: [tokens.size + 1]. */
export function knownIds(tokens: Interner, ids: Ids): Uint32Array {
  const provisional = Uint32Array.from({ length: tokens.size }, (_, i) => i + 1);
  const known = new Uint32Array(tokens.size + 1);
  tokens.texts(provisional).forEach((text, i) => (known[i + 1] = ids.get(text) ?? 0));
  return known;
}
