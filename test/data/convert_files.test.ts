import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../data/convert/archive.js';
import { atomicRows } from '../../data/convert/atomic_rows.js';
import { datasetName } from '../../data/convert/names.js';
import type { Row } from '../../data/convert/row.js';
import { compareSizes } from '../../data/convert/sizes.js';
import { writeTable } from '../../data/convert/table_file.js';
import { all, inFolder, inputOf, thrown } from '../support/convert.js';
import { zipOf } from '../support/zip.js';

const files = suite('writeTable');
const columns = [
  { name: 'user_id', type: 'token', required: true },
  { name: 'price', type: 'float' },
] as const;

async function* rowsOf(...cells: readonly (readonly string[])[]): AsyncGenerator<readonly Row[]> {
  for (const [i, one] of cells.entries()) yield [{ line: i + 1, cells: one }];
}

files('writes clean cells, and says what it wrote', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x.inter');
    const rejected: string[] = [];
    const reject = (line: number, message: string) => void rejected.push(`${line}: ${message}`);
    const rows = rowsOf(
      ['a\tb\n c ', '1'],
      ['d', ''],
      ['d', '1e-3'],
      ['', '1'],
      ['e', 'cheap'],
      ['f', 'nan'],
    );
    const summary = await writeTable(rows, { path, columns, counted: ['user_id'], reject });
    const text = 'user_id:token\tprice:float\na b  c\t1\nd\t\nd\t1e-3\nf\tnan\n';
    assert.is(readFileSync(path, 'utf8'), text);
    assert.equal(summary, { rows: 4, bytes: text.length, distinct: { user_id: 3 } });
    assert.equal(rejected, ['4: no user_id', '5: price is "cheap", which is no number']);
  }),
);

files('leaves nothing under the name when a row stops it', () =>
  inFolder(async (folder) => {
    const reject = () => {
      throw new Error('stop');
    };
    const target = { path: join(folder, 'x.inter'), columns, counted: [], reject };
    assert.match(await thrown(() => writeTable(rowsOf(['a', '1'], ['', '2']), target)), /stop/);
    assert.not.ok(readdirSync(folder).includes('x.inter'));
  }),
);

files.run();

const atomic = suite('atomicRows');
const item = [
  { name: 'item_id', type: 'token' },
  { name: 'genre', type: 'token_seq' },
  { name: 'timestamp', type: 'float', optional: true },
] as const;

atomic('picks and renames columns, and takes the quotes of pandas off', async () => {
  const input = inputOf(
    'title:token\tbusiness_id:token\tgenre:token_seq\nx\t1\t"""Kids\'"" a"\ny\t2\nz\t3\tb\n',
  );
  const renamed = { business_id: 'item_id' };
  const found = await atomicRows(input, { columns: item, renamed });
  assert.equal(
    found.columns.map(({ name }) => name),
    ['item_id', 'genre'],
  );
  assert.equal(await all(found.rows), [
    { line: 2, cells: ['1', `"Kids'" a`] },
    { line: 4, cells: ['3', 'b'] },
  ]);
  assert.equal(input.rejected, ['3: 2 cells under a header of 3 columns']);
});

atomic('takes every column of a set that it does not know', async () => {
  const { columns: found } = await atomicRows(inputOf('a:token\tb:float_seq\n'), {
    columns: null,
    renamed: {},
  });
  assert.equal(found, [
    { name: 'a', type: 'token' },
    { name: 'b', type: 'float_seq' },
  ]);
});

atomic('names a header that does not fit', async () => {
  const wanted = { columns: item, renamed: {} };
  const message = (text: string) => thrown(() => atomicRows(inputOf(text), wanted));
  assert.match(await message(''), /^DataError: a\.txt: is empty/);
  assert.match(await message('user\titem\n'), /^DataError: a\.txt:1: header: "user" is no name:type/);
  assert.match(
    await message('item_id:token\n'),
    /^DataError: a\.txt:1: header: no column genre; have item_id/,
  );
});

atomic.run();

const archives = suite('openArchive');

/** Reads a member as text. */
async function contents(path: string, name: string): Promise<string> {
  const archive = await openArchive(path);
  try {
    const member = archive.members.find((one) => one.name === name);
    assert.ok(member, `${name} in ${archive.members.map((one) => one.name).join()}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of archive.open(member!).bytes) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } finally {
    archive.close();
  }
}

archives('reads folders, zips, and gz in either', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'a.txt'), 'plain');
    writeFileSync(join(folder, 'b.json.gz'), gzipSync('packed'));
    writeFileSync(
      join(folder, 'c.zip'),
      zipOf({ 'in/d.txt': 'deep', 'e.gz': gzipSync('both'), '__MACOSX/x': '' }),
    );
    assert.is(await contents(folder, 'a.txt'), 'plain');
    assert.is(await contents(folder, 'b.json.gz'), 'packed');
    assert.is(await contents(join(folder, 'c.zip'), 'in/d.txt'), 'deep');
    assert.is(await contents(join(folder, 'c.zip'), 'e.gz'), 'both');
    assert.is((await openArchive(join(folder, 'c.zip'))).members.length, 2);
  }),
);

archives('names what is damaged, and what it cannot read', () =>
  inFolder(async (folder) => {
    const path = (name: string, bytes: Buffer) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const whole = zipOf({ 'a.txt': 'some text that is long enough to be changed' });
    const flipped = Buffer.from(whole);
    // The checksum in the directory, so that the content and its sizes are right and only it is not.
    flipped[whole.lastIndexOf('PK\x01\x02', undefined, 'latin1') + 16] ^= 1;
    assert.match(
      await thrown(() => contents(path('a.zip', flipped), 'a.txt')),
      /^DataError: .*a\.zip\/a\.txt: is damaged: its checksum/,
    );
    assert.match(
      await thrown(() => openArchive(path('b.zip', whole.subarray(0, 40)))),
      /^DataError: .*b\.zip: is damaged/,
    );
    const short = path('c.gz', gzipSync('text '.repeat(1000)).subarray(0, 30));
    assert.match(
      await thrown(() => contents(short, 'c.gz')),
      /^DataError: .*c\.gz: is damaged: unexpected end of file/,
    );
    assert.match(
      await thrown(() => openArchive(path('d.tar', whole))),
      /d\.tar: is an archive of a kind that is not read here; unpack/,
    );
    assert.match(await thrown(() => openArchive(join(folder, 'none'))), /none: no such file or folder/);
  }),
);

archives.run();

const sizes = suite('compareSizes');
const published = [
  { by: 'A', users: 10, items: 20, interactions: 100 },
  { by: 'B', users: 1, items: 2, interactions: 3000 },
];

sizes('says by whom a size was published, or what differs', () => {
  const of = (users: readonly number[], items: readonly number[], interactions: number) =>
    compareSizes('x', { users, items, interactions }, published);
  assert.equal(of([9, 10], [20], 100), ['x: users, items and interactions are as published by A']);
  assert.equal(of([1], [2], 3000), ['x: users, items and interactions are as published by B']);
  assert.equal(of([10], [19, 21], 1000), [
    'warning: x: 19 or 21 items, but A published 20',
    'warning: x: 1,000 interactions, but A published 100',
  ]);
  assert.equal(compareSizes('x', { users: [], items: [], interactions: 0 }, []), []);
});

sizes.run();

const names = suite('datasetName');

names('knows the two names of the books', () => {
  assert.is(datasetName('amazon-book'), 'amazon-books');
  assert.is(datasetName('amazon-books'), 'amazon-books');
  assert.is(datasetName('toString'), 'toString');
});

names.run();
