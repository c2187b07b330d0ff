import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allRows } from '../../data/rows.js';
import { close } from '../support/close.js';
import type { Ended } from '../support/train.js';
import { ended, openReference, piped, predictScript, trainedFolder } from '../support/trained.js';

const { folder, toy, checkpoint } = await trainedFolder('--multi_cls=5');
const reference = await openReference(folder, checkpoint);
const given = `--checkpoint=${checkpoint}`;
const at = (name: string) => join(folder, name);
const text = (header: string, rows: readonly string[]) => `${[header, ...rows].join('\n')}\n`;
const predict = (...flags: readonly string[]) => ended(folder, [predictScript, given, ...flags]);

/** Rows of a result: two ids and numbers. */
function parsed(output: string): { header: string; ids: string[]; numbers: number[][] } {
  const [header, ...lines] = output.trimEnd().split('\n');
  const cells = lines.map((line) => line.split('\t'));
  return {
    header,
    ids: cells.map(([user, item]) => `${user} ${item}`),
    numbers: cells.map((row) => row.slice(2).map(Number)),
  };
}

/** Scores `rows` below `header` by way of stdin and stdout. */
async function scored(header: string, rows: readonly string[], ...flags: readonly string[]) {
  const { code, out, err } = await piped(
    folder,
    [predictScript, given, '--input=-', ...flags],
    text(header, rows),
  );
  assert.is(code, 0, err);
  return { ...parsed(out), err };
}

const command = suite('predict');

command(
  'scores the rows it was trained on as the data set itself does, to the bit and in order',
  async () => {
    writeFileSync(at('pairs.inter'), text(toy.header, toy.rows));
    const { code, out, err } = await predict('--input=pairs.inter', '--output=scores.tsv');
    assert.equal([code, out], [0, ''], err);
    const { header, ids, numbers } = parsed(readFileSync(at('scores.tsv'), 'utf8'));
    const ratings = [1, 2, 3, 4, 5].map((k) => `p_${k}:float`);
    assert.is(
      header,
      ['user_id:token', 'item_id:token', 'score:float', ...ratings, 'expected_rating:float'].join('\t'),
    );
    assert.equal(
      ids,
      toy.rows.map((row) => row.split('\t').slice(0, 2).join(' ')),
    );
    const expected = await reference.runner.scores(allRows(toy.rows.length));
    assert.equal(
      Float32Array.from(numbers, ([score]) => score),
      expected.score,
    );
    assert.equal(Float32Array.from(numbers.flatMap((row) => row.slice(1, 6))), expected.ratings);
    close(
      numbers.map((row) => row[6]),
      numbers.map((row) => row.slice(1, 6).reduce((sum, p, k) => sum + (k + 1) * p, 0)),
      1e-8,
    );
    assert.match(err, /pairs\.inter: rating not used/);
    assert.match(err, new RegExp(`${toy.rows.length} rows scored in `));
    assert.not.match(err, /not seen/);
  },
);

command('reads stdin and writes stdout, where nothing but the result goes', async () => {
  const { code, out, err } = await piped(
    folder,
    [predictScript, given, '--input=-', '--quiet'],
    readFileSync(at('pairs.inter'), 'utf8'),
  );
  assert.equal([code, err], [0, '']);
  assert.is(out, readFileSync(at('scores.tsv'), 'utf8'));
});

command('takes columns in any order, and missing ones as empty cells', async () => {
  const header = 'item_id:token\tuser_id:token';
  const two = await scored(
    header,
    toy.rows.slice(0, 5).map((row) => row.split('\t').slice(0, 2).reverse().join('\t')),
  );
  assert.match(two.err, /stdin: no daypart, tags, price, hour, which counts as missing in every row/);
  const empty = toy.rows
    .slice(0, 5)
    .map((row) => [...row.split('\t').slice(0, 3), '', '', '', ''].join('\t'));
  const all = await scored(toy.header, empty);
  assert.equal(two.numbers, all.numbers);
  assert.not.equal(two.numbers, parsed(readFileSync(at('scores.tsv'), 'utf8')).numbers.slice(0, 5));
});

command('scores what it has not seen as [PAD], and counts it', async () => {
  const rows = ['new1\ti1\tx', 'new2\ti1\t', '\ti1\t', 'u1\ti1\t', 'u1\trare\tx', 'rare1\ti2\tx'];
  const { ids, numbers, err } = await scored('user_id:token\titem_id:token\tdaypart:token', rows, '--quiet');
  assert.equal(ids[0], 'new1 i1');
  assert.equal(ids[2], ' i1');
  assert.equal(numbers[0], numbers[1]);
  assert.equal(numbers[0], numbers[2]);
  assert.not.equal(numbers[0], numbers[3]);
  assert.equal(err.trimEnd().split('\n'), [
    'predict: stdin: user_id: 4 not seen in training, the first is "new1"; scored as [PAD]',
    'predict: stdin: item_id: 1 not seen in training, the first is "rare"; scored as [PAD]',
    'predict: stdin: daypart: 3 not seen in training, the first is "x"; scored as [PAD]',
  ]);
});

command('keeps the order of an input that comes in many pieces', async () => {
  const rows = Array.from({ length: 90_000 }, (_, i) => toy.rows[(i * 7) % toy.rows.length]);
  const { numbers, ids } = await scored(toy.header, rows);
  const first = parsed(readFileSync(at('scores.tsv'), 'utf8'));
  assert.is(ids.length, rows.length);
  for (let i = 0; i < rows.length; i += 97) {
    assert.is(ids[i], first.ids[(i * 7) % toy.rows.length]);
    assert.equal(numbers[i], first.numbers[(i * 7) % toy.rows.length]);
  }
});

command('ends in peace when nobody reads on', async () => {
  const rows = Array.from({ length: 60_000 }, () => toy.rows[0]);
  const { code, err } = await piped(
    folder,
    [predictScript, given, '--input=-', '--quiet'],
    text(toy.header, rows),
    (child) => child.stdout?.destroy(),
  );
  assert.equal([code, err], [0, '']);
});

command('leaves nothing behind when it is interrupted', async () => {
  writeFileSync(at('kept.tsv'), 'before');
  const rows = Array.from({ length: 300_000 }, () => toy.rows[0]);
  const { code, err } = await piped(
    folder,
    [predictScript, given, '--input=-', '--output=kept.tsv'],
    text(toy.header, rows),
    undefined,
    // The model is introduced once the output is open.
    (child, said) => said.includes('adapter: ') && child.kill('SIGINT'),
  );
  assert.is(code, 130, err);
  assert.is(readFileSync(at('kept.tsv'), 'utf8'), 'before');
  assert.equal(drafts(), []);
});

command('scores on the threads that are asked for, with checked kernels, to the same bits', async () => {
  const scores = [];
  for (const threads of [1, 3]) {
    const flags = ['--adapter=cpu', `--threads=${threads}`, '--check'];
    const { code, out, err } = await predict('--input=pairs.inter', ...flags);
    assert.is(code, 0, err);
    assert.match(err, new RegExp(`adapter: CPU: .+, ${threads} thread`));
    scores.push(out);
  }
  assert.is(scores[1], scores[0]);
});

command('writes to what is no file without replacing it', async () => {
  const { code, err } = await predict('--input=pairs.inter', '--output=/dev/null', '--quiet');
  assert.equal([code, err], [0, '']);
  assert.ok(statSync('/dev/null').isCharacterDevice());
});

/** Files of the folder that are not finished. */
const drafts = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/** Ended with 1, one line on stderr, and no output. */
function refused({ code, out, err }: Ended, message: RegExp): void {
  assert.equal([code, out], [1, ''], err);
  assert.match(err, message);
  assert.is(err.trimEnd().split('\n').length, 1, err);
}

const bad = suite('bad input');

const head = 'user_id:token\titem_id:token\tprice:float';
const badFiles: readonly (readonly [name: string, content: string, message: RegExp])[] = [
  [
    'short.inter',
    `${head}\nu1\ti1\t3\nu1\ti2\n`,
    /short\.inter:3: row of 2 cells under a header of 3 columns; /,
  ],
  [
    'number.inter',
    `${head}\nu1\ti1\tcheap\n`,
    /number\.inter:2: price is "cheap", but a float must be a finite number; /,
  ],
  [
    'item.inter',
    'user_id:token\tprice:float\nu1\t3\n',
    /item\.inter:1: header: no column item_id:token, only user_id:token, price:float; add it/,
  ],
  [
    'type.inter',
    'user_id:token\titem_id:float\nu1\t3\n',
    /type\.inter:1: header: item_id is of type float, but the model was trained with token; /,
  ],
  [
    'context.inter',
    `${head.replace('float', 'token')}\nu1\ti1\t3\n`,
    /context\.inter:1: header: price is of type token, but .* float; /,
  ],
  ['empty.inter', '', /empty\.inter: empty file; its first line must be a header/],
  ['plain.inter', 'user,item\n1,2\n', /plain\.inter:1: header: column 1 is "user,item", want name:type/],
];

bad('is named with its file and line, and leaves no output', async () => {
  for (const [name, content] of badFiles) writeFileSync(at(name), content);
  const run = ([name]: (typeof badFiles)[number]) =>
    predict(`--input=${name}`, `--output=${name}.out`, '--quiet');
  for (let i = 0; i < badFiles.length; i += 2) {
    const all = await Promise.all(badFiles.slice(i, i + 2).map(run));
    all.forEach((one, j) => refused(one, badFiles[i + j][2]));
  }
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.out') || name.endsWith('.tmp')),
    [],
  );
});

const badFlags: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
  [[], /^predict: --checkpoint: missing; /],
  [['--checkpoint=no.ckpt', '--input=-'], /^predict: no\.ckpt: no such file or directory/],
  [
    ['--checkpoint=pairs.inter', '--input=-'],
    /^predict: checkpoint pairs\.inter: not a checkpoint of this program/,
  ],
  [[given], /--input: missing; /],
  [[given, '--input=none.inter'], /^predict: none\.inter: no such file or directory/],
  [[given, '--input=pairs.inter', '--output=nowhere/x'], /^predict: nowhere\/x: no such file or directory/],
  [[given, '--input=pairs.inter', '--output=dataset'], /^predict: dataset: is a directory/],
  [[given, '--input=pairs.inter', '--topk=3'], /--input=pairs\.inter: has no meaning with --topk/],
  [[given, '--topk=3'], /--topk=3: needs --users; /],
  [[given, '--users=u1'], /--users=u1: has no meaning without --topk/],
  [[given, '--inptu=pairs.inter'], /--inptu=pairs\.inter: no such option; did you mean input\?/],
  [
    [given, '--input=pairs.inter', '--data_path=elsewhere'],
    /elsewhere\/toy\/toy\.inter: no such file, and price, hour of a row .* --data_path\n/,
  ],
];

bad('flags are refused in one line', async () => {
  for (let i = 0; i < badFlags.length; i += 2) {
    const pair = badFlags.slice(i, i + 2);
    const all = await Promise.all(pair.map(([argv]) => ended(folder, [predictScript, ...argv])));
    all.forEach((one, j) => refused(one, pair[j][1]));
  }
  assert.equal(drafts(), []);
});

bad('data sets are named with the way to give another', async () => {
  const file = at('dataset/toy/toy.item');
  const saved = readFileSync(file, 'utf8');
  rmSync(file);
  const without = await predict('--input=pairs.inter', '--output=x.out', '--quiet');
  writeFileSync(file, saved.replace('year:token', 'year:float'));
  const other = await predict('--input=pairs.inter', '--output=x.out', '--quiet');
  writeFileSync(file, saved);
  refused(
    without,
    /toy\.item: no such file, and the model needs year, genres, cost from it; .* --data_path\n/,
  );
  refused(other, /toy\.item:1: header: the model was trained with year:token, but it is year:float; /);
});

command('lists its options', async () => {
  const { code, out, err } = await ended(folder, [predictScript, '--help']);
  assert.equal([code, err], [0, '']);
  for (const name of ['checkpoint', 'input', 'output', 'topk', 'users', 'keep_seen', 'data_path', 'quiet']) {
    assert.match(out, new RegExp(`--${name} `));
  }
});

bad.after(() => reference.destroy());
command.run();
bad.run();
