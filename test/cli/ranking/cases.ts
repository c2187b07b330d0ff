import { readFileSync } from 'node:fs';
import type { Dataset, Split } from '../../../data/schema.js';

/** The ranking protocol of the original on data/mini, candidate by candidate. */
interface Golden {
  readonly result: Readonly<Record<string, number>>;
  readonly users: readonly {
    readonly user: number;
    readonly pos: { readonly data: readonly number[] };
    readonly cand_items_in_order: { readonly data: readonly number[] };
    readonly scores: { readonly data: readonly number[] };
    readonly n_distinct_candidates: number;
  }[];
  readonly excluded_per_user: Readonly<Record<string, readonly number[]>>;
}
/** The fixture as it came. */
export const golden: Golden = JSON.parse(readFileSync('test/fixtures/ranking_mini.json', 'utf8'));

/** One interaction. */
export type Row = readonly [user: number, item: number, label: number];
/** Interactions of each part. */
export interface Rows {
  readonly train?: readonly Row[];
  readonly valid?: readonly Row[];
  readonly test?: readonly Row[];
}

/** A data set of these rows, users and items numbered from 1, and its split. */
export function invent(users: number, items: number, parts: Rows): { dataset: Dataset; split: Split } {
  const { train = [], valid = [], test = [] } = parts;
  const rows = [...train, ...valid, ...test];
  const column = (at: 0 | 1) => ({ type: 'token', ids: Uint32Array.from(rows, (row) => row[at]) }) as const;
  const tokens = (count: number) => ['[PAD]', ...Array.from({ length: count }, (_, i) => `t${i + 1}`)];
  const from = (start: number, { length }: readonly Row[]) =>
    Uint32Array.from({ length }, (_, i) => start + i);
  const dataset: Dataset = {
    name: 'invented',
    schema: {
      token: [
        { name: 'user_id', source: 'inter', cardinality: users + 1, offset: 0 },
        { name: 'item_id', source: 'inter', cardinality: items + 1, offset: users + 1 },
      ],
      tokenSeq: [],
      float: [],
      userField: 'user_id',
      itemField: 'item_id',
    },
    inter: {
      rows: rows.length,
      columns: new Map([
        ['user_id', column(0)],
        ['item_id', column(1)],
      ]),
    },
    users: null,
    items: null,
    rating: null,
    label: Float32Array.from(rows, (row) => row[2]),
    vocabularies: new Map([
      ['user_id', tokens(users)],
      ['item_id', tokens(items)],
    ]),
  };
  const split = {
    train: from(0, train),
    valid: from(train.length, valid),
    test: from(train.length + valid.length, test),
  };
  return { dataset, split };
}

/** The golden case: what is excluded and not positive was trained on. */
export function goldenCase(): { dataset: Dataset; split: Split } {
  const positives = new Map(golden.users.map(({ user, pos }) => [user, pos.data]));
  const train = Object.entries(golden.excluded_per_user).flatMap(([user, items]) =>
    items
      .filter((item) => !positives.get(Number(user))?.includes(item))
      .map((item): Row => [Number(user), item, item % 2]),
  );
  const test = golden.users.flatMap(({ user, pos }) => pos.data.map((item): Row => [user, item, 1]));
  return invent(40, 60, { train, test: [...test, [1, 5, 0]] });
}
