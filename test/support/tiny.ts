import type { Column, Dataset, Schema, Table } from '../../data/schema.js';
import { numbers } from './numbers.js';

/** Sizes of a tiny data set with fields of every type from every file. */
export interface TinySizes {
  readonly rows: number;
  readonly users: number;
  readonly items: number;
}

const vocabulary = { daypart: 4, gender: 3, topics: 5, year: 6, tags: 7, genres: 9 } as const;

/** Fields: .inter user_id, item_id, daypart, tags (sequence), price; .user gender, topics, age; .item year, genres. */
export function tinySchema({ users, items }: TinySizes): Schema {
  const sizes = [
    ['user_id', 'inter', users],
    ['item_id', 'inter', items],
    ['daypart', 'inter', vocabulary.daypart],
    ['gender', 'user', vocabulary.gender],
    ['year', 'item', vocabulary.year],
  ] as const;
  let offset = 0;
  const token = sizes.map(([name, source, cardinality]) => {
    offset += cardinality;
    return { name, source, cardinality, offset: offset - cardinality };
  });
  return {
    token,
    tokenSeq: [
      { name: 'tags', source: 'inter', cardinality: vocabulary.tags, maxLength: 3 },
      { name: 'topics', source: 'user', cardinality: vocabulary.topics, maxLength: 2 },
      { name: 'genres', source: 'item', cardinality: vocabulary.genres, maxLength: 4 },
    ],
    float: [
      { name: 'price', source: 'inter', cardinality: 2, offset: 0 },
      { name: 'age', source: 'user', cardinality: 2, offset: 2 },
    ],
    userField: 'user_id',
    itemField: 'item_id',
  };
}

/** A data set of random rows, ratings 1…5 and labels rating >= 4, the same for the same sizes. */
export function tinyDataset(sizes: TinySizes): Dataset {
  const { rows, users, items } = sizes;
  const random = numbers(rows * 31 + users * 7 + items);
  const whole = (count: number, below: number, from = 0) =>
    Uint32Array.from(random([count]), (x) => from + (Math.floor(Math.abs(x) * 1000) % (below - from)));
  const ids = (count: number, below: number, from = 0): Column => ({
    type: 'token',
    ids: whole(count, below, from),
  });
  const sequence = (count: number, maxLength: number, below: number): Column => {
    const all = whole(count * maxLength, below, 1);
    const lengths = whole(count, maxLength + 1);
    return {
      type: 'token_seq',
      maxLength,
      ids: all.map((id, i) => (i % maxLength < lengths[Math.floor(i / maxLength)] ? id : 0)),
    };
  };
  const floats = (count: number): Column => ({
    type: 'float',
    values: Float32Array.from(random([count])),
    index: new Uint32Array(count).fill(1),
  });
  const table = (count: number, columns: Record<string, Column>): Table => ({
    rows: count,
    columns: new Map(Object.entries(columns)),
  });
  const rating = Float32Array.from(whole(rows, 6, 1));
  return {
    name: 'tiny',
    schema: tinySchema(sizes),
    inter: table(rows, {
      user_id: ids(rows, users, 1),
      item_id: ids(rows, items, 1),
      daypart: ids(rows, vocabulary.daypart),
      tags: sequence(rows, 3, vocabulary.tags),
      price: floats(rows),
    }),
    users: table(users, {
      user_id: { type: 'token', ids: Uint32Array.from({ length: users }, (_, i) => i) },
      gender: ids(users, vocabulary.gender),
      topics: sequence(users, 2, vocabulary.topics),
      age: floats(users),
    }),
    items: table(items, {
      item_id: { type: 'token', ids: Uint32Array.from({ length: items }, (_, i) => i) },
      year: ids(items, vocabulary.year),
      genres: sequence(items, 4, vocabulary.genres),
    }),
    rating,
    label: rating.map((value) => (value >= 4 ? 1 : 0)),
    vocabularies: new Map(),
  };
}
