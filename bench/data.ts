import type { Column, Dataset, FieldSource, Table, TokenField } from '../data/schema.js';

/** Fields of the measured steps: what share of the vocabulary they have, and which table carries them. */
const shares: readonly (readonly [name: string, source: FieldSource, share: number])[] = [
  ['user_id', 'inter', 0.5],
  ['item_id', 'inter', 0.3],
  ['daypart', 'inter', 24],
  ['gender', 'user', 3],
  ['age', 'user', 8],
  ['zip', 'user', 0.2],
  ['genre', 'item', 19],
];

/** Numbers in [0,1), the same every time (mulberry32). */
export function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** 7 token fields over about `vocabulary` rows of one table: small fields keep their size, large ones share the rest. */
export function tokenFields(vocabulary: number): TokenField[] {
  const small = shares.reduce((sum, [, , share]) => sum + (share >= 1 ? share : 0), 0);
  let offset = 0;
  return shares.map(([name, source, share]) => {
    const cardinality = share >= 1 ? share : Math.floor(share * (vocabulary - small));
    offset += cardinality;
    return { name, source, cardinality, offset: offset - cardinality };
  });
}

/** How often ids are named: squares of even chances, or the k-th as often as 1/k. */
export type Popularity = 'square' | 'zipf';

/** One id from 1 on, small ones more frequent, as popular items are. */
function popular(cardinality: number, popularity: Popularity, chance: number): number {
  if (popularity === 'square') return 1 + Math.floor(chance ** 2 * (cardinality - 1));
  return Math.min(cardinality - 1, Math.floor(cardinality ** chance));
}

const ids = (
  count: number,
  { cardinality }: TokenField,
  popularity: Popularity,
  random: () => number,
): Column => ({
  type: 'token',
  ids: Uint32Array.from({ length: count }, () => popular(cardinality, popularity, random())),
});

/**
 * A data set of `rows` rated interactions over `vocabulary` features in 7 token fields, of which 3 belong to the user and
 * 1 to the item. Popularity has a long tail; labels mean nothing.
 */
export function benchDataset(rows: number, vocabulary: number, popularity: Popularity = 'square'): Dataset {
  const random = uniforms(vocabulary);
  const token = tokenFields(vocabulary);
  const [users, items] = token.map(({ cardinality }) => cardinality);
  const table = (source: FieldSource, count: number): Table => ({
    rows: count,
    columns: new Map(
      token
        .filter((field) => field.source === source)
        .map((field) => [field.name, ids(count, field, popularity, random)]),
    ),
  });
  const rating = Float32Array.from({ length: rows }, () => 1 + Math.floor(5 * random()));
  return {
    name: 'bench',
    schema: { token, tokenSeq: [], float: [], userField: 'user_id', itemField: 'item_id' },
    inter: table('inter', rows),
    users: table('user', users),
    items: table('item', items),
    rating,
    label: rating.map((value) => Number(value >= 4)),
    vocabularies: new Map(),
  };
}
