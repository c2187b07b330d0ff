import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder } from '../support/convert.js';
import { node } from '../support/train.js';

const script = resolve('cli/data.js');
const mapping = [
  '--user=visitor',
  '--item=sku',
  '--rating=stars',
  '--timestamp=at',
  '--fields=device:token,price:float',
  '--threshold=4',
];

async function prepared(folder: string, from: string, ...argv: readonly string[]): Promise<string> {
  const { code, err } = await node(folder, [script, 'prepare', '--dataset=shop', `--from=${from}`, ...argv]);
  assert.equal([code, err], [0, '']);
  return readFileSync(join(folder, 'dataset', 'shop', 'shop.inter'), 'utf8');
}

/** What every form of the same log becomes. */
const expected = [
  'user_id:token\titem_id:token\trating:float\ttimestamp:float\tdevice:token\tprice:float',
  'ann\t10\t5\t1577836800\tphone\t1.5',
  'bob\t11\t3\t1577923200\t\t2',
  'ann\t11\t4\t1578009600\tdesk\t0.25',
  'cem\t10\t1\t1578096000\tphone\t10',
  'dóra\t12\t2\t1578182400\tdesk\t3',
  '',
].join('\n');

const csv = [
  'at,visitor,sku,stars,device,price,note',
  '2020-01-01,ann,10,5,phone,1.5,"a, ""b"""',
  '2020-01-02 00:00:00,bob,11,3,,2,"two',
  'lines"',
  '2020-01-03T00:00:00Z,ann,11,4,desk,0.25,',
  '1578096000,cem,10,1,phone,10,',
  '2020-01-05T01:00:00+01:00,dóra,12,2,desk,3,',
  '',
].join('\r\n');

const log = suite('data prepare: logs');

log('reads CSV, with quotes, dates and settings of its own', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'log.csv'), csv);
    assert.is(await prepared(folder, 'log.csv', ...mapping), expected);
    const yaml = readFileSync(join(folder, 'dataset', 'shop', 'shop.yaml'), 'utf8');
    assert.match(yaml, 'threshold: {rating: 4}\nnumerical_features: ["price"]\nnormalize_field: ["price"]\n');
  }),
);

log('reads it packed, between other marks, and without a header', () =>
  inFolder(async (folder) => {
    writeFileSync(
      join(folder, 'log.csv.gz'),
      gzipSync(csv.replaceAll('"two\r\nlines"', 'x').replaceAll(',', ';')),
    );
    assert.is(await prepared(folder, 'log.csv.gz', ...mapping, '--delimiter=;'), expected);
  }),
);

log('calls columns without a header by number', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'log.tsv'), 'a\t1\nb\t2\n');
    const text = await prepared(folder, 'log.tsv', '--user=2', '--item=1', '--header=False');
    assert.is(text, 'user_id:token\titem_id:token\n1\ta\n2\tb\n');
  }),
);

log('reads JSON lines', () =>
  inFolder(async (folder) => {
    const rows = [
      { visitor: 'ann', sku: 10, stars: 5, at: '2020-01-01', device: 'phone', price: 1.5 },
      { visitor: 'bob', sku: 11, stars: 3, at: 1577923200, price: 2 },
      { visitor: 'ann', sku: 11, stars: 4, at: '2020-01-03T00:00:00', device: 'desk', price: 0.25 },
      { visitor: 'cem', sku: 10, stars: 1, at: 1578096000, device: 'phone', price: 10 },
      { visitor: 'dóra', sku: 12, stars: 2, at: 1578182400, device: 'desk', price: 3, more: [1] },
    ];
    writeFileSync(join(folder, 'log.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    assert.is(await prepared(folder, 'log.jsonl', ...mapping), expected);
  }),
);

log('reads Parquet, a row group after the other', () =>
  inFolder(async (folder) => {
    copyFileSync(resolve('test/fixtures/convert/log.parquet'), join(folder, 'log.parquet'));
    assert.is(await prepared(folder, 'log.parquet', ...mapping), expected);
  }),
);

log('names what cannot be read', () =>
  inFolder(async (folder) => {
    const ended = async (name: string, content: string, ...argv: readonly string[]) => {
      writeFileSync(join(folder, name), content);
      const flags = ['--user=u', '--item=i', ...argv];
      const { code, err } = await node(folder, [
        script,
        'prepare',
        '--dataset=shop',
        `--from=${name}`,
        ...flags,
      ]);
      assert.is(code, 1);
      return err;
    };
    assert.match(await ended('a.csv', 'u,i\n1,2\n3\n'), /a\.csv:3: 1 cells, want 2 with ","/);
    assert.match(await ended('b.csv', 'u,i,r\n1,2,x\n', '--rating=r'), /b\.csv:2: rating is "x"/);
    assert.match(await ended('c.jsonl', '{"u":1,"i":2}\n{"u":1}\n'), /c\.jsonl:2: no i;/);
    assert.match(
      await ended('d.parquet', 'PAR1 but no more'),
      /d\.parquet: is no Parquet file that can be read/,
    );
    assert.match(await ended('e.xlsx', 'x'), /e\.xlsx: is no log that can be read; give \.csv/);
    copyFileSync(resolve('test/fixtures/convert/log.parquet'), join(folder, 'f.parquet'));
    const flags = ['--user=visitor', '--item=nothing'];
    const { err } = await node(folder, [script, 'prepare', '--dataset=shop', '--from=f.parquet', ...flags]);
    assert.match(err, /f\.parquet:1: no column nothing; have visitor, sku, stars, at, device, price/);
  }),
);

log('can be trained on as it is', () =>
  inFolder(async (folder) => {
    const rows = Array.from(
      { length: 400 },
      (_, i) => `u${i % 20},i${(i * 7) % 23},${1 + (i % 5)},${i % 3 ? 'a b' : 'c'},${i / 7}`,
    );
    writeFileSync(join(folder, 'log.csv'), ['u,i,r,tags,price', ...rows].join('\n'));
    const flags = [
      '--user=u',
      '--item=i',
      '--rating=r',
      '--fields=tags:token_seq,price:float',
      '--threshold=4',
    ];
    await prepared(folder, 'log.csv', ...flags);
    const train = ['--model=FM', '--dataset=shop', '--epochs=1', '--adapter=cpu', '--show_progress=False'];
    const { code, err, out } = await node(folder, [resolve('cli/train.js'), ...train]);
    assert.is(code, 0, err);
    assert.match(out, 'test result: auc');
  }),
);

log.run();
