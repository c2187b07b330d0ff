import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { spawn } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder } from '../support/convert.js';
import { archives, originals, type InventedFiles, type InventedSet } from '../support/invented.js';
import { node, type Ended } from '../support/train.js';
import { zipOf } from '../support/zip.js';

const script = resolve('cli/data.js');
const prepare = (folder: string, ...argv: readonly string[]) => node(folder, [script, 'prepare', ...argv]);

function write(folder: string, files: InventedFiles): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** Every file as Amazon ships it. */
const packed = (files: InventedFiles): InventedFiles =>
  Object.fromEntries(Object.entries(files).map(([name, content]) => [`${name}.gz`, gzipSync(content)]));

/** The atomic files of a set, by their ends. */
function written(folder: string, name: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${name}.`));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

function succeeded({ code, err, out }: Ended): string {
  assert.equal([code, err], [0, '']);
  return out;
}

function refused({ code, err }: Ended, message: RegExp): void {
  assert.is(code, 1);
  assert.match(err, message);
  assert.is(err.trimEnd().split('\n').length, 1, err);
}

const sets = suite('data prepare: the sets of the paper');

const inputs: Readonly<Record<InventedSet, string>> = {
  'ml-1m': 'user_id age gender occupation release_year genre',
  yelp2018: 'user_id user_review_count item_review_count categories',
  'amazon-books': 'user_id sales_type sales_rank categories price brand',
};

for (const name of Object.keys(originals) as InventedSet[]) {
  sets(`${name}: originals and archives, packed or not, give the same files, which can be trained on`, () =>
    inFolder(async (folder) => {
      write(join(folder, 'original'), originals[name]);
      write(join(folder, 'packed'), packed(originals[name]));
      write(join(folder, 'atomic'), archives[name]);
      write(folder, { 'original.zip': zipOf(originals[name]), 'atomic.zip': zipOf(archives[name]) });
      const out = succeeded(await prepare(folder, `--dataset=${name}`, '--from=original'));
      const place = join(folder, 'dataset', name);
      assert.match(out, `${name}.inter: 400 rows\n`);
      assert.match(out, '20 users and 20 items in 400 interactions\n');
      assert.match(out, new RegExp(`warning: ${name}: 400 interactions, but .* published [0-9,]+\n`));
      assert.match(out, /^licence: /m);
      const files = written(place, name);
      for (const from of ['packed', 'original.zip', 'atomic', 'atomic.zip']) {
        succeeded(await prepare(folder, `--dataset=${name}`, `--from=${from}`, `--data_path=${from}-set`));
        assert.equal(written(join(folder, `${from}-set`, name), name), files, from);
      }
      const info = succeeded(await node(folder, [script, 'info', `--dataset=${name}`]));
      assert.match(info, 'The number of inters: 400\n');
      for (const field of inputs[name].split(' '))
        assert.match(info, new RegExp(`^${field} +\\.\\w+ .*(ids|value)`, 'm'));
      const train = ['--model=FM', '--epochs=1', '--multi_cls=5', '--adapter=cpu', '--show_progress=False'];
      const trained = await node(folder, [resolve('cli/train.js'), `--dataset=${name}`, ...train]);
      assert.is(trained.code, 0, trained.err);
      assert.match(trained.out, 'test result: auc');
    }),
  );
}

sets('have the cells that the archives of RecBole have', () =>
  inFolder(async (folder) => {
    write(folder, originals['amazon-books']);
    succeeded(await prepare(folder, '--dataset=amazon-book', '--from=.'));
    const text = readFileSync(join(folder, 'dataset', 'amazon-books', 'amazon-books.item'), 'utf8');
    assert.equal(text.split('\n').slice(0, 4), [
      'item_id:token\tsales_type:token\tsales_rank:float\tcategories:token_seq\tprice:float\tbrand:token',
      "B1\t\t\t'Books'\t\t",
      `B2\tBooks\t200\t'Books', "Children's"\t3\tPress 2`,
      `B3\tBooks\t300\t'Books', "Children's", 'Art'\t4.5\tPress 0`,
    ]);
    // The other name of the set is as good wherever one is given.
    const info = succeeded(await node(folder, [script, 'info', '--dataset=amazon-book']));
    assert.match(info, 'The number of inters: 400\n');
    const synth = await node(folder, [
      script,
      'synth',
      '--like=amazon-book',
      '--scale=0.00001',
      '--name=books',
    ]);
    assert.match(succeeded(synth), 'in the form of amazon-books');
    const missing = await node(folder, [
      resolve('cli/train.js'),
      '--model=FM',
      '--dataset=amazon-book',
      '--data_path=x',
    ]);
    refused(
      missing,
      /--dataset=amazon-books: .*data\.js download --dataset=amazon-books.* prepare --dataset=amazon-books/,
    );
  }),
);

sets.run();

const ends = suite('data prepare: interruptions and bad rows');

ends('goes on after it was killed, with the file it was at', () =>
  inFolder(async (folder) => {
    const book = (i: number) =>
      `{'asin': 'B${i}', 'description': '${'long '.repeat(200)}', 'categories': [['Books']]}\n`;
    const books = Array.from({ length: 40_000 }, (_, i) => book(i)).join('');
    write(join(folder, 'raw'), { ...originals['amazon-books'], 'meta_Books.json': books });
    const argv = ['prepare', '--dataset=amazon-books', '--from=raw'];
    const draft = join(folder, 'dataset', '.amazon-books.preparing');
    const child = spawn(process.execPath, [script, ...argv], { cwd: folder, stdio: 'ignore' });
    const watch = setInterval(() => {
      if (existsSync(join(draft, 'amazon-books.item.part'))) child.kill('SIGKILL');
    }, 2);
    const signal = await new Promise((done) => child.on('close', (_, signal) => done(signal)));
    clearInterval(watch);
    assert.is(signal, 'SIGKILL', 'it was killed before it was done');
    assert.equal(
      readdirSync(join(folder, 'dataset')),
      ['.amazon-books.preparing'],
      'no half set has its name',
    );
    refused(
      await node(folder, [script, 'info', '--dataset=amazon-books']),
      /amazon-books\.inter is not there/,
    );

    const out = succeeded(await node(folder, [script, ...argv]));
    assert.match(out, 'amazon-books.inter: finished before, kept\n');
    assert.match(out, 'amazon-books.item: 40,000 rows\n');
    assert.equal(readdirSync(join(folder, 'dataset')), ['amazon-books']);
    assert.match(
      succeeded(await node(folder, [script, ...argv])),
      'was made from this before; nothing to do',
    );
  }),
);

ends('names a bad row by file and line, in every form', () =>
  inFolder(async (folder) => {
    const cases: readonly (readonly [InventedSet, string, string, RegExp])[] = [
      ['ml-1m', 'ml-1m/ratings.dat', '1::2::3', /ratings\.dat:2: 3 cells, want 4 with "::"/],
      ['ml-1m', 'ml-1m/ratings.dat', '1::2::much::0', /ratings\.dat:2: rating is "much", which is no number/],
      [
        'yelp2018',
        'yelp_academic_dataset_review.json',
        '{"user_id": "u"}',
        /review\.json:2: no business_id; mend/,
      ],
      [
        'yelp2018',
        'yelp_academic_dataset_review.json',
        '{"user',
        /review\.json:2: "\{"user" is neither JSON nor/,
      ],
      ['amazon-books', 'ratings_Books.csv', ',B1,5.0,1', /ratings_Books\.csv:2: no user_id; mend/],
      ['amazon-books', 'meta_Books.json', "{'asin': }", /meta_Books\.json:2: .* no value at character 10/],
    ];
    for (const [name, file, line, message] of cases) {
      const lines = String(originals[name][file]).split('\n');
      const spoilt = { ...originals[name], [file]: [lines[0], line, ...lines.slice(1)].join('\n') };
      write(folder, { 'raw.zip': zipOf(spoilt) });
      refused(await prepare(folder, `--dataset=${name}`, '--from=raw.zip'), message);
      assert.not.ok(existsSync(join(folder, 'dataset', name)));
    }
    const left = await prepare(folder, '--dataset=amazon-books', '--from=raw.zip', '--bad_rows=skip');
    assert.match(succeeded(left), /warning: raw\.zip\/meta_Books\.json:2: .*; left out\n/);
    assert.match(left.out, 'amazon-books.item: 20 rows, 1 left out\n');
  }),
);

ends('says what is wrong with its options in one line', () =>
  inFolder(async (folder) => {
    write(folder, { 'log.csv': 'u,i\n1,2\n', 'logs/a.csv': '', 'logs/b.csv': '' });
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--dataset=ml-1m'], /--from: missing; a folder, a \.zip or a log/],
      [['--from=x'], /--dataset: missing; the data set: ml-1m, yelp2018, amazon-books/],
      [['--dataset=ml-1m', '--from=none'], /none: no such file or folder/],
      [['--dataset=../up', '--from=log.csv'], /--dataset=\.\.\/up: names no data set/],
      [['--dataset=ml-1m', '--from=log.csv', '--user=u', '--item=i'], /--user: a log cannot become ml-1m/],
      [['--dataset=x', '--from=log.csv', '--user=u'], /--item: missing; name the log's column/],
      [['--dataset=x', '--from=log.csv', '--user=u', '--item=k'], /log\.csv:1: no column k; have u, i/],
      [
        ['--dataset=x', '--from=log.csv', '--user=u', '--item=i', '--fields=a'],
        /--fields: "a" is no name:type/,
      ],
      [
        ['--dataset=x', '--from=log.csv', '--user=u', '--item=i', '--fields=i:int'],
        /"i:int" is no name:type/,
      ],
      [['--dataset=x', '--from=logs', '--user=u', '--item=i'], /--from=logs: not one file; a log is one/],
      [['--dataset=x', '--from=log.csv', '--frm=1'], /--frm=1: no such option; did you mean from\?/],
    ];
    for (const [argv, message] of cases) refused(await prepare(folder, ...argv), message);
  }),
);

ends.run();
