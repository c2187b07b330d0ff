import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { contextFloatRules, floatRule } from '../../cli/predict/context_floats.js';
import { encodeRows } from '../../cli/predict/encode.js';
import { recommendationLines, scoreLines } from '../../cli/predict/lines.js';
import { inputFields, readPairs, type InputHeader } from '../../cli/predict/pairs_reader.js';
import { recommendations, type Recommendation } from '../../cli/predict/recommend.js';
import { sideTable } from '../../cli/predict/side_tables.js';
import { idsByField } from '../../cli/predict/vocabulary.js';
import { loadDataset } from '../../data/dataset.js';
import { discretize, fillMissing, normalize } from '../../data/features.js';
import { defaultDataOptions, type DataOptions } from '../../data/options.js';
import type { Dataset, Schema, Table } from '../../data/schema.js';
import { rejection, temporaryFolder } from '../support/data_set.js';
import { numbers } from '../support/numbers.js';
import { toyData } from '../support/trained.js';

const toy = toyData();

/** The toy set as training sees it. */
async function loadToy(
  options: Partial<DataOptions> = {},
): Promise<{ dataset: Dataset; options: DataOptions }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'toy'));
  for (const [name, text] of Object.entries(toy.files)) writeFileSync(join(folder, 'toy', name), text);
  const all: DataOptions = {
    ...defaultDataOptions,
    data_path: folder,
    dataset: 'toy',
    threshold: { rating: 4 },
    numerical_features: ['price', 'hour', 'income', 'cost'],
    normalize_field: ['price', 'income'],
    discretization: { hour: { method: 'ED', bucket: 4 }, cost: { method: 'LD' } },
    filter_inter_by_user_or_item: false,
    user_inter_num_interval: '[2,inf)',
    ...options,
  };
  return { dataset: await loadDataset(all), options: all };
}

/** The columns of a table that the model takes. */
function inputsOf(table: Table | null, { token, tokenSeq, float }: Schema): Table['columns'] {
  const names = [...token, ...tokenSeq, ...float].map(({ name }) => name);
  return new Map([...(table?.columns ?? [])].filter(([name]) => names.includes(name)));
}

const side = suite('sideTable');

const variants: readonly Partial<DataOptions>[] = [
  {},
  { normalize_field: null, normalize_all: true, discretization: null },
  { discretization: { income: { method: 'ED', bucket: 7 } }, seq_len: { genres: 2 } },
  { unused_col: { user: ['income', 'topics'] }, numerical_features: ['cost'], discretization: null },
];

side('gives from .user and .item alone what training had', async () => {
  for (const variant of variants) {
    const { dataset, options } = await loadToy(variant);
    const { schema, vocabularies } = dataset;
    const from = { options, schema, idsOf: idsByField(vocabularies) };
    for (const [source, expected] of [
      ['user', dataset.users],
      ['item', dataset.items],
    ] as const) {
      const actual = await sideTable(from, source);
      assert.is(actual?.rows, expected?.rows);
      assert.equal(
        new Map([...(actual?.columns ?? [])].sort()),
        new Map([...inputsOf(expected, schema)].sort()),
      );
    }
  }
});

side('is null where the model takes nothing from the file, which then need not be there', async () => {
  const { dataset, options } = await loadToy();
  const { vocabularies } = dataset;
  const schema = { ...dataset.schema, token: dataset.schema.token.slice(0, 2), tokenSeq: [], float: [] };
  const from = { options: { ...options, data_path: 'nowhere' }, schema, idsOf: idsByField(vocabularies) };
  assert.is(await sideTable(from, 'user'), null);
  const whole = { ...from, schema: dataset.schema };
  assert.match(
    await rejection(sideTable(whole, 'user')),
    /DataError: nowhere\/toy\/toy\.user: no such file, .*age/,
  );
});

const floats = suite('floatRule');

const draws = Float64Array.from(numbers(3)([200]), (x) => Math.abs(x) * 40);

floats('does to what was seen what training did', () => {
  const withGaps = draws.map((value, i) => (i % 9 === 0 ? NaN : value));
  for (const isNormalized of [false, true]) {
    for (const buckets of [undefined, { method: 'ED', bucket: 6 }, { method: 'LD' }] as const) {
      const trained = withGaps.slice();
      fillMissing(trained);
      if (isNormalized) normalize(trained);
      const rule = floatRule(withGaps, isNormalized, buckets);
      const actual = [...withGaps].map(rule);
      if (buckets === undefined) {
        assert.equal(
          actual.map(({ value }) => value),
          [...trained],
        );
        assert.ok(actual.every(({ index }) => index === 1));
      } else {
        assert.equal(
          actual.map(({ index }) => index),
          [...discretize(trained, buckets)],
        );
        assert.ok(actual.every(({ value }) => value === 1));
      }
    }
  }
});

floats('puts what lies outside into the nearest bucket, and keeps the range of training', () => {
  const seen = Float64Array.of(1, 2, 3, 4, 50, 400);
  const equal = floatRule(seen, false, { method: 'ED', bucket: 4 });
  assert.equal(
    [-9, 1, 400, 1e9].map((x) => equal(x).index),
    [1, 1, 4, 4],
  );
  const squared = floatRule(seen, false, { method: 'LD' });
  const indices = [...seen].map((x) => squared(x).index);
  assert.equal(
    [-5, 1e9].map((x) => squared(x).index),
    [0, Math.max(...indices)],
  );
  assert.equal(
    [1, 401].map((x) => floatRule(Float64Array.of(1, 201), true, undefined)(x).value),
    [0, 2],
  );
  assert.is(floatRule(Float64Array.of(3, 3), true, undefined)(8).value, 1);
});

floats('is made from the interactions that training kept', async () => {
  const { dataset, options } = await loadToy();
  const rules = await contextFloatRules(dataset.schema, options);
  assert.equal([...rules.keys()], ['price', 'hour']);
  const price = dataset.inter.columns.get('price');
  const given = toy.rows.map((row) => row.split('\t')[5]).map((cell) => (cell === '' ? NaN : Number(cell)));
  const rule = rules.get('price');
  assert.equal(
    Float32Array.from(given, (x) => rule?.(x).value ?? NaN),
    price?.type === 'float' && price.values,
  );
});

const reader = suite('readPairs');

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.subarray(at, at + size));
}

/** Everything that is read, in one table of the model's numbers. */
async function readAll(dataset: Dataset, options: DataOptions, text: string, size: number) {
  const headers: InputHeader[] = [];
  const encoding = {
    schema: dataset.schema,
    idsOf: idsByField(dataset.vocabularies),
    floatRules: await contextFloatRules(dataset.schema, options),
  };
  const tables: Table[] = [];
  const format = { file: 'input', options, fields: inputFields(dataset.schema), batchRows: 50 };
  for await (const batch of readPairs(pieces(text, size), {
    ...format,
    onHeader: (one) => headers.push(one),
  })) {
    tables.push(encodeRows(encoding, batch).table);
  }
  return { headers, tables };
}

reader('hands rows on while they come, as training numbered them', async () => {
  const { dataset, options } = await loadToy();
  const text = `${[toy.header, ...toy.rows].join('\n')}\n`;
  const { headers, tables } = await readAll(dataset, options, text, 400);
  assert.equal(headers, [{ ignored: ['rating'], absent: [] }]);
  assert.ok(tables.length > 5 && tables.every(({ rows }, i) => rows >= 50 || i === tables.length - 1));
  const inter = inputsOf(dataset.inter, dataset.schema);
  for (const [name, column] of inter) {
    const parts = tables.map((table) => table.columns.get(name));
    const numbersOf = (key: 'ids' | 'values' | 'index') =>
      parts.flatMap((part) => [...((part as unknown as Record<string, Uint32Array | undefined>)[key] ?? [])]);
    if (column.type === 'float') {
      assert.equal(numbersOf('values'), [...column.values], name);
      assert.equal(numbersOf('index'), [...(column.index ?? [])], name);
    } else if (column.type !== 'float_seq') assert.equal(numbersOf('ids'), [...column.ids], name);
  }
});

reader('forgets the tokens of rows that are handed on', async () => {
  const { dataset, options } = await loadToy();
  const format = { file: 'input', options, fields: inputFields(dataset.schema), batchRows: 1, onHeader() {} };
  const text = 'user_id:token\titem_id:token\na\tb\nc\td\n';
  const sizes: number[] = [];
  for await (const { columns } of readPairs(pieces(text, 4), format)) {
    const users = columns.get('user_id');
    if (users?.type === 'token') sizes.push(users.tokens.size - Math.min(...users.ids) + 1);
  }
  assert.equal(sizes, [1, 1]);
});

const best = suite('recommendations');

best('are the same however users and items fall into batches', async () => {
  const score = (user: number, item: number) =>
    Math.fround(Math.round(7 * Math.sin(user * 31 + item * item)));
  const scorer = (users: Uint32Array, items: Uint32Array) =>
    Float32Array.from(users, (user, i) => score(user, items[i]));
  const seen = {
    of: (user: number) =>
      user === 4 ? Uint32Array.from({ length: 11 }, (_, i) => i + 1) : Uint32Array.of(user),
  };
  const users = Uint32Array.of(3, 4, 9, 1);
  for (const batchRows of [1, 3, 11, 100]) {
    const lists: Recommendation[] = [];
    const options = { topk: 5, itemCount: 12, seen, batchRows };
    for await (const list of recommendations(users, scorer, options)) lists.push(list);
    assert.equal(
      lists.map(({ user }) => user),
      [...users],
    );
    for (const { user, items, scores } of lists) {
      const left = [...Array(12).keys()].slice(1).filter((item) => !seen.of(user).includes(item));
      const sorted = left.sort((a, b) => score(user, b) - score(user, a) || a - b).slice(0, 5);
      assert.equal([...items], sorted);
      assert.equal(
        [...scores],
        sorted.map((item) => score(user, item)),
      );
    }
  }
});

best('are refused where a score is no number', async () => {
  const nan = () => Float32Array.of(NaN);
  const lists = recommendations(Uint32Array.of(1), nan, { topk: 1, itemCount: 2, seen: null, batchRows: 1 });
  assert.match(await rejection(lists.next()), /DataError: predict: a score is NaN/);
});

const lines = suite('lines');

lines('read back as the same f32', () => {
  const score = Float32Array.from([0.1, 1 / 3, 1.17e-38, 0.99999994]);
  const texts = scoreLines(['a', 'b', 'c', 'd'], ['e', 'f', 'g', 'h'], { score }, '\t').trimEnd().split('\n');
  assert.equal(
    Float32Array.from(texts, (line) => Number(line.split('\t')[2])),
    score,
  );
  assert.is(texts[0], 'a\te\t0.100000001');
  assert.is(recommendationLines('u', [{ item: 'x', score: 0.5 }], ','), 'u,x,1,0.500000000\n');
});

side.run();
floats.run();
reader.run();
best.run();
lines.run();
