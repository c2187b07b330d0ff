import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../data/convert/archive.js';
import { knownSet } from '../../data/convert/known.js';
import { planOf } from '../../data/convert/plan.js';
import { prepareSet, type BadRows, type Prepared } from '../../data/convert/prepare.js';
import { inFolder, thrown } from '../support/convert.js';

const original = {
  'ratings.dat': '1::10::5::978300760\n2::10::3::978300761\n2::11::4::978300762\n',
  'users.dat': '1::F::1::10::48067\n2::M::56::16::70072\n',
  'movies.dat': 'ten::10 (1979)::Comedy\n',
};

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** Prepares ml-1m of folder/raw; lines about it go to `notes`. */
async function prepared(folder: string, notes: string[] = [], badRows: BadRows = 'stop'): Promise<Prepared> {
  const archive = await openArchive(join(folder, 'raw'));
  return prepareSet({
    name: 'ml-1m',
    dataPath: join(folder, 'dataset'),
    archive,
    plan: planOf('ml-1m', knownSet('ml-1m'), archive),
    badRows,
    settings: {},
    note: (line) => notes.push(line.replaceAll(`${folder}/`, '')),
    progress: () => {},
  });
}

const prepare = suite('prepareSet');

prepare('writes the set in full, once', () =>
  inFolder(async (folder) => {
    write(join(folder, 'raw'), original);
    const first = await prepared(folder);
    assert.ok(first.made);
    assert.equal(readdirSync(join(folder, 'dataset')), ['ml-1m']);
    assert.equal(readdirSync(first.folder).sort(), [
      'ml-1m.inter',
      'ml-1m.item',
      'ml-1m.user',
      'prepared.json',
    ]);
    assert.is(
      readFileSync(join(first.folder, 'ml-1m.user'), 'utf8'),
      'user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n1\t1\tF\t10\t48067\n2\t56\tM\t16\t70072\n',
    );
    const again = await prepared(folder);
    assert.not.ok(again.made);
    assert.equal(again.manifest, first.manifest);
  }),
);

prepare('stops at a bad row with file and line, and begins anew once the source has changed', () =>
  inFolder(async (folder) => {
    const raw = join(folder, 'raw');
    write(raw, { ...original, 'movies.dat': '10::Ten (1979)::Comedy\n11::broken\n' });
    const message = await thrown(() => prepared(folder));
    assert.match(message, /^DataError: .*raw\/movies\.dat:2: 2 cells, want 3/);
    assert.match(message, /--bad_rows=skip$/);
    assert.not.ok(existsSync(join(folder, 'dataset', 'ml-1m')));

    const draft = join(folder, 'dataset', '.ml-1m.preparing');
    assert.equal(readdirSync(draft).sort(), [
      'ml-1m.inter',
      'ml-1m.item.part',
      'ml-1m.user',
      'prepared.json',
    ]);
    const kept = readFileSync(join(draft, 'ml-1m.inter'));
    const notes: string[] = [];
    write(raw, { 'movies.dat': '10::Ten (1979)::Comedy\n' });
    const { folder: made } = await prepared(folder, notes);
    // The source has changed, so nothing of before can be trusted.
    assert.match(notes[0], /was begun from raw, otherwise; begins anew/);
    assert.equal(readFileSync(join(made, 'ml-1m.inter')), kept);
  }),
);

prepare('keeps finished files of the same source, and makes again one that was spoilt', () =>
  inFolder(async (folder) => {
    write(join(folder, 'raw'), { ...original, 'movies.dat': 'x::y\n' });
    await thrown(() => prepared(folder));
    const draft = join(folder, 'dataset', '.ml-1m.preparing');
    writeFileSync(join(draft, 'ml-1m.user'), 'cut off');
    writeFileSync(join(draft, 'lock'), '999999999');
    const notes: string[] = [];
    assert.match(await thrown(() => prepared(folder, notes)), /movies\.dat:1/);
    assert.equal(notes, ['ml-1m.inter: finished before, kept']);
    assert.match(readFileSync(join(draft, 'ml-1m.user'), 'utf8'), /\n2\t56\tM\t16\t70072\n$/);
  }),
);

prepare('leaves bad rows out where that is asked, naming the first and counting all', () =>
  inFolder(async (folder) => {
    const bad = Array.from({ length: 7 }, (_, i) => `9::${i}::five::0\n`).join('');
    write(join(folder, 'raw'), { ...original, 'ratings.dat': `${original['ratings.dat']}${bad}` });
    const notes: string[] = [];
    const { manifest } = await prepared(folder, notes, 'skip');
    assert.is(notes[0], 'warning: raw/ratings.dat:4: rating is "five", which is no number; left out');
    assert.is(notes[5], 'warning: raw/ratings.dat: 7 such rows left out in all');
    assert.is(notes.length, 6);
    assert.equal(
      [manifest.tables.inter?.rows, manifest.tables.inter?.rejected, manifest.tables.inter?.distinct],
      [3, 7, { user_id: 2, item_id: 2 }],
    );
  }),
);

prepare('overwrites nothing that it has not made of the same', () =>
  inFolder(async (folder) => {
    write(join(folder, 'raw'), original);
    const mine = join(folder, 'dataset', 'ml-1m');
    write(mine, { 'ml-1m.inter': 'mine' });
    assert.match(
      await thrown(() => prepared(folder)),
      /it is there already, and is not overwritten; remove it/,
    );
    assert.is(readFileSync(join(mine, 'ml-1m.inter'), 'utf8'), 'mine');
  }),
);

prepare('lets one process at a time work on a set', () =>
  inFolder(async (folder) => {
    write(join(folder, 'raw'), original);
    const draft = join(folder, 'dataset', '.ml-1m.preparing');
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    write(draft, { lock: String(other.pid) });
    try {
      await once(other, 'spawn');
      const message = await thrown(() => prepared(folder));
      assert.match(message, new RegExp(`process ${other.pid} works here; wait`));
    } finally {
      other.kill();
    }
    assert.equal(readdirSync(draft), ['lock']);
  }),
);

prepare.run();

const plan = suite('planOf');

plan('says what it looked for and what is there', () =>
  inFolder(async (folder) => {
    const message = async (name: string, files: Readonly<Record<string, string>>) => {
      const raw = join(folder, `${Math.random()}`);
      write(raw, files);
      const archive = await openArchive(raw);
      return thrown(async () => planOf(name, knownSet(name), archive));
    };
    assert.match(await message('ml-1m', {}), /no ratings\.dat \(or \.gz\) in it, only nothing/);
    assert.match(
      await message('amazon-books', { 'ratings_Books.csv': '', 'a.zip': '' }),
      /no meta_Books\.json \(or \.gz\) in it, only .*; give a\.zip itself/,
    );
    assert.match(await message('ml-1m', { 'x.inter': '', 'x.user': '' }), /no x\.item in it/);
    assert.match(
      await message('ml-1m', { 'x.inter': '', 'y.inter': '' }),
      /2 files of interactions, [xy]\.inter and/,
    );
    assert.match(
      await message('mine', { 'log.csv': '' }),
      /no atomic files of RecBole.*for a log give --user/,
    );
  }),
);

plan.run();
