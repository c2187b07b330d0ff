import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRows, rowWords } from '../../cli/predict/encode.js';
import { allRows } from '../../data/rows.js';
import type { Column } from '../../data/schema.js';
import { ended, openReference, piped, predictScript, trainedFolder } from '../support/trained.js';

// Binary, and with no float in .inter, whose range would have to be read.
const { folder, toy, checkpoint } = await trainedFolder(
  '--numerical_features=["income"]',
  '--normalize_field=["income"]',
  '--discretization=None',
);
const reference = await openReference(folder, checkpoint);
const predict = (...flags: readonly string[]) =>
  ended(folder, [predictScript, `--checkpoint=${checkpoint}`, ...flags]);

const { dataset, split, runner } = reference;
const tokens = (field: string) => dataset.vocabularies.get(field) as readonly string[];
const ids = (field: string) => (dataset.inter.columns.get(field) as { ids: Uint32Array }).ids;

interface Best {
  readonly item: string;
  readonly score: number;
}

/** The k best items of a user by scoring all of them, without context, and sorting. */
async function bestOf(user: string, k: number, keepSeen: boolean): Promise<Best[]> {
  const id = tokens('user_id').indexOf(user);
  const seen = new Set(
    [...split.train].filter((row) => ids('user_id')[row] === id).map((row) => ids('item_id')[row]),
  );
  const items = Uint32Array.from(tokens('item_id').keys()).filter(
    (item) => item > 0 && (keepSeen || !seen.has(item)),
  );
  const { schema } = dataset;
  const none = { schema, idsOf: () => new Map(), floatRules: new Map() };
  const { table } = encodeRows(none, { rows: items.length, columns: new Map() });
  const pair: [string, Column][] = [
    ['user_id', { type: 'token', ids: items.map(() => id) }],
    ['item_id', { type: 'token', ids: items }],
  ];
  const words = rowWords(schema, { ...table, columns: new Map([...table.columns, ...pair]) });
  const { score } = await runner.scores(allRows(items.length), words);
  const order = [...items.keys()].sort((a, b) => score[b] - score[a] || items[a] - items[b]);
  return order.slice(0, k).map((i) => ({ item: tokens('item_id')[items[i]], score: score[i] }));
}

/** Lines of a result: user → items in the order of their ranks. */
function parsed(output: string): Map<string, Best[]> {
  const [header, ...lines] = output.trimEnd().split('\n');
  assert.is(header, 'user_id:token\titem_id:token\trank:float\tscore:float');
  const lists = new Map<string, Best[]>();
  for (const [user, item, rank, score] of lines.map((line) => line.split('\t'))) {
    const list = lists.get(user) ?? [];
    lists.set(user, [...list, { item, score: Math.fround(Number(score)) }]);
    assert.is(Number(rank), list.length + 1);
  }
  return lists;
}

const topk = suite('predict --topk');

topk('recommends what a sort of all unseen items puts first', async () => {
  const { code, out, err } = await predict('--topk=3', '--users=u7,u0,u39', '--quiet');
  assert.equal([code, err], [0, '']);
  const lists = parsed(out);
  assert.equal([...lists.keys()], ['u7', 'u0', 'u39']);
  for (const [user, list] of lists) assert.equal(list, await bestOf(user, 3, false), user);
});

topk('recommends seen items too with --keep_seen, to a file and to users from a file', async () => {
  writeFileSync(join(folder, 'users.txt'), 'user_id:token\nu5\r\n\nu6\nu5\n');
  const flags = ['--topk=100', '--users=@users.txt', '--keep_seen', '--output=top.tsv'];
  const { code, out, err } = await predict(...flags);
  assert.equal([code, out], [0, ''], err);
  assert.match(err, /2 users served in /);
  const lists = parsed(readFileSync(join(folder, 'top.tsv'), 'utf8'));
  assert.equal([...lists.keys()], ['u5', 'u6']);
  for (const [user, list] of lists) {
    assert.is(list.length, tokens('item_id').length - 1);
    assert.equal(list, await bestOf(user, 100, true), user);
  }
});

topk('serves all users in the order of their ids', async () => {
  const { code, out } = await predict('--topk=1', '--users=all', '--quiet');
  assert.is(code, 0);
  const lists = parsed(out);
  assert.equal([...lists.keys()], tokens('user_id').slice(1));
  for (const user of ['u1', 'u20']) assert.equal(lists.get(user), await bestOf(user, 1, false), user);
});

topk('names users that the model does not know, and leaves no output', async () => {
  writeFileSync(join(folder, 'wrong.txt'), 'u1\nu2\nrare1\n');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['u1,nobody', /^predict: --users=u1,nobody: user "nobody" is not among the 40 that the model knows; /],
    ['@wrong.txt', /^predict: wrong\.txt:3: user "rare1" is not among the 40 that the model knows; /],
    ['@none.txt', /^predict: none\.txt: no such file or directory; /],
    [',', /^predict: --users=,: names nobody; /],
  ];
  for (const [users, message] of cases) {
    const { code, out, err } = await predict('--topk=2', `--users=${users}`, '--output=bad.tsv');
    assert.equal([code, out], [1, '']);
    assert.match(err, message);
    assert.is(err.trimEnd().split('\n').length, 1, err);
  }
  assert.throws(() => readFileSync(join(folder, 'bad.tsv')), /ENOENT/);
});

topk('needs the interactions only to leave out what was seen', async () => {
  const file = join(folder, 'dataset/toy/toy.inter');
  renameSync(file, `${file}.away`);
  const [without, kept, rows] = [
    await predict('--topk=2', '--users=u1', '--quiet'),
    await predict('--topk=2', '--users=u1', '--quiet', '--keep_seen'),
    await piped(
      folder,
      [predictScript, `--checkpoint=${checkpoint}`, '--input=-'],
      `${[toy.header, ...toy.rows.slice(0, 50)].join('\n')}\n`,
    ),
  ];
  renameSync(`${file}.away`, file);
  assert.is(without.code, 1);
  assert.match(without.err, /toy\.inter is not there.*--data_path/);
  assert.is(kept.code, 0, kept.err);
  assert.equal(parsed(kept.out).get('u1'), await bestOf('u1', 2, true));
  assert.is(rows.code, 0, rows.err);
  assert.match(rows.err, /rating, price, hour not used/);
  const [header, ...lines] = rows.out.trimEnd().split('\n');
  assert.is(header, 'user_id:token\titem_id:token\tscore:float');
  const expected = (await runner.scores(allRows(50))).score;
  assert.equal(
    Float32Array.from(lines, (line) => Number(line.split('\t')[2])),
    expected,
  );
});

topk.after(() => reference.destroy());
topk.run();
