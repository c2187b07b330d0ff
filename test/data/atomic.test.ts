import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AtomicParser, readAtomic, separatorByte, type HeaderField } from '../../data/atomic.js';
import { cellsOf, type Cells, type RawColumn } from '../../data/cells.js';
import { Interner } from '../../data/interner.js';
import { rejection, table, temporaryFolder } from '../support/data_set.js';

interface Read {
  readonly rows: number;
  readonly header: readonly HeaderField[];
  readonly columns: ReadonlyMap<string, RawColumn>;
}

/** Parses `text` in pieces of `step` bytes. */
function parse(text: string | Uint8Array, step = Infinity, separator = 9, seqLen = Infinity): Read {
  const cells = new Map<string, Cells>();
  let header: readonly HeaderField[] = [];
  const select = (fields: readonly HeaderField[]) => {
    header = fields;
    return fields.map(({ name, type }) => {
      const column = cellsOf(type, { tokens: new Interner(), seqSeparator: 32, seqLen });
      cells.set(name, column);
      return column;
    });
  };
  const parser = new AtomicParser('toy.inter', { separator, select });
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let at = 0; at < bytes.length; at += step) parser.push(bytes.subarray(at, at + step));
  parser.end();
  const columns = new Map([...cells].map(([name, column]) => [name, column.take()] as const));
  return { rows: parser.rows, header, columns };
}

/** Tokens as text, missing cells as null; numbers as they are, sequences as lists. */
function cells(column: RawColumn | undefined): unknown[] {
  if (column === undefined) throw new Error('no such column');
  const items: unknown[] =
    'values' in column
      ? [...column.values]
      : [...column.ids].map((id) => (id === 0 ? null : column.tokens.texts(Uint32Array.of(id))[0]));
  if (!('offsets' in column)) return items;
  return [...column.offsets.subarray(1)].map((end, row) => items.slice(column.offsets[row], end));
}

const everyType = table(`
  user_id:token,genre:token_seq,price:float,vector:float_seq
  u1,Drama Comedy,1.5,1 2.5 -3
  u2,,-2,
  ,Drama,,0.25
`);

const parsing = suite('AtomicParser');

parsing('reads every type, and empty cells as missing', () => {
  const { rows, header, columns } = parse(everyType);
  assert.is(rows, 3);
  assert.equal(
    header.map(({ name, type }) => `${name}:${type}`),
    ['user_id:token', 'genre:token_seq', 'price:float', 'vector:float_seq'],
  );
  assert.equal(cells(columns.get('user_id')), ['u1', 'u2', null]);
  assert.equal(cells(columns.get('genre')), [['Drama', 'Comedy'], [], ['Drama']]);
  assert.equal(cells(columns.get('price')), [1.5, -2, NaN]);
  assert.equal(cells(columns.get('vector')), [[1, 2.5, -3], [], [0.25]]);
});

parsing('gives the same in pieces of any size', () => {
  const whole = parse(everyType);
  for (const step of [1, 2, 3, 7, 16, 50]) {
    const pieces = parse(everyType, step);
    assert.is(pieces.rows, whole.rows);
    for (const [name, column] of whole.columns) {
      assert.equal(cells(pieces.columns.get(name)), cells(column), `${name} in pieces of ${step}`);
    }
  }
});

parsing('lets the caller reuse the memory of a piece', () => {
  const text = Buffer.from('a:token\nfirst\nsecond\n');
  const cells: Cells[] = [];
  const select = (fields: readonly HeaderField[]) => {
    const options = { tokens: new Interner(), seqSeparator: 32, seqLen: Infinity };
    for (const { type } of fields) cells.push(cellsOf(type, options));
    return cells;
  };
  const parser = new AtomicParser('toy.inter', { separator: 9, select });
  const piece = Buffer.alloc(5);
  for (let at = 0; at < text.length; at += piece.length) {
    parser.push(piece.subarray(0, text.copy(piece, 0, at)));
  }
  const column = cells[0].take();
  assert.equal(column.type === 'token' && column.tokens.texts(column.ids), ['first', 'second']);
});

parsing('takes lines that end in CRLF, in any column type', () => {
  const plain = parse(everyType);
  for (const step of [Infinity, 1, 5]) {
    const { rows, columns } = parse(everyType.replaceAll('\n', '\r\n'), step);
    assert.is(rows, 3);
    for (const [name, column] of plain.columns) assert.equal(cells(columns.get(name)), cells(column));
  }
  for (const last of ['a:token', 'b:float', 'c:token_seq']) {
    const { columns } = parse(`${last}\r\n12\r\n34\r\n`);
    const [column] = columns.values();
    const texts = cells(column).flat().map(String);
    assert.equal(texts, ['12', '34'], last);
  }
});

parsing('needs no newline at the end of the file', () => {
  assert.equal(cells(parse('a:token\tb:float\nx\t1\ny\t2').columns.get('b')), [1, 2]);
  assert.is(parse('a:token').rows, 0);
});

parsing('skips empty lines', () => {
  const { rows, columns } = parse('a:token\tb:float\n\nx\t1\n\r\ny\t2\n\n');
  assert.is(rows, 2);
  assert.equal(cells(columns.get('a')), ['x', 'y']);
});

parsing('keeps UTF-8 tokens whole across pieces, and drops a byte order mark', () => {
  const text = '\uFEFFname:token\ttag:token_seq\nčaj\t日本 東京\nчай\tq\n';
  for (const step of [Infinity, 1, 4]) {
    const { columns } = parse(text, step);
    assert.equal(cells(columns.get('name')), ['čaj', 'чай']);
    assert.equal(cells(columns.get('tag')), [['日本', '東京'], ['q']]);
  }
});

parsing('reads quotes as ordinary characters', () => {
  assert.equal(cells(parse('a:token\tb:token\n"x\t"y"\n').columns.get('a')), ['"x']);
});

parsing('splits columns at the separator it is given', () => {
  const { columns } = parse('a:token|b:float\nx y|3\n', Infinity, separatorByte('|', 'field_separator'));
  assert.equal(cells(columns.get('a')), ['x y']);
  assert.equal(cells(columns.get('b')), [3]);
});

parsing('cuts sequences at the length it is given, without a trace of the rest', () => {
  const { columns } = parse('a:token_seq\tb:float_seq\nx y  z\t1 2 3\nw\t4\n', Infinity, 9, 2);
  const column = columns.get('a');
  assert.equal(cells(column), [['x', 'y'], ['w']]);
  assert.equal(cells(columns.get('b')), [[1, 2], [4]]);
  assert.is(column !== undefined && 'tokens' in column && column.tokens.size - Interner.missing, 3);
});

parsing('reads numbers in every notation exactly as JavaScript does', () => {
  const texts = '0,-0,7,881250949,1e3,1E-5,-2.50,.5,5.,+4,123456789012345678,0.1234567890123456789,1e308, 3 ';
  const { columns } = parse(`x:float\n${texts.replaceAll(',', '\n')}\n`);
  assert.equal(cells(columns.get('x')), texts.split(',').map(Number));
});

parsing('takes the words of pandas for a missing cell, but not inside a sequence', () => {
  const { columns } = parse('a:token\tb:float\tc:token_seq\nNA\tnan\tnull\nNAN\tNULL\tnull NA\nNone\t1\tx\n');
  assert.equal(cells(columns.get('a')), [null, 'NAN', 'None']);
  assert.equal(cells(columns.get('b')), [NaN, NaN, 1]);
  assert.equal(cells(columns.get('c')), [[], ['null', 'NA'], ['x']]);
});

parsing('tells apart tokens that are the same number', () => {
  const tokens = ['7', '07', '0', '00', '1234567', '01234567', '7', '7.0', '+7', '999999', '0999999'];
  const column = parse(`a:token\tb:token\n${tokens.map((token) => `${token}\t${token}`).join('\r\n')}\r\n`);
  for (const name of ['a', 'b']) assert.equal(cells(column.columns.get(name)), tokens);
});

parsing('interns many tokens and tells apart those that begin alike', () => {
  const tokens = Array.from({ length: 5000 }, (_, i) => `t${i % 2500}${'x'.repeat(i % 3)}`);
  const { columns } = parse(`a:token\n${tokens.join('\n')}\n`, 777);
  assert.equal(cells(columns.get('a')), tokens);
});

parsing('names file and line of a row with the wrong number of columns', () => {
  assert.throws(
    () => parse('a:token\tb:float\nx\t1\ny\n'),
    /^toy\.inter:3: row of 1 cells under a header of 2 columns/,
  );
  assert.throws(
    () => parse('a:token\tb:float\n\nx\t1\t2\n'),
    /toy\.inter:3: row of 3 cells under a header of 2 columns/,
  );
});

parsing('names file, line, column and cell of a bad number', () => {
  const want = /^toy\.inter:3: price is "cheap", but a float must be a finite number; mend/;
  assert.throws(() => parse('id:token\tprice:float\nx\t1\ny\tcheap\n'), want);
  for (const bad of ['1,5', '0x10', '1e999', 'inf', '-', '.', '1 2']) {
    assert.throws(() => parse(`a:float\n${bad}\n`), /toy\.inter:2: a is/, bad);
  }
  assert.throws(() => parse('v:float_seq\n1 2 x\n'), /a float_seq must be a sequence of finite numbers/);
});

parsing('names what is wrong with a header', () => {
  assert.throws(
    () => parse('user_id\titem_id:token\n'),
    /toy\.inter:1: header: column 1 is "user_id", want name:type/,
  );
  assert.throws(() => parse('a:text\n'), /a has type "text"; give one of token, token_seq, float, float_seq/);
  assert.throws(() => parse('a:token\ta:float\n'), /two columns are called a/);
});

parsing('refuses an empty file', () => {
  assert.throws(() => parse(''), /^toy\.inter: empty file/);
});

parsing('refuses a line without end rather than hold the file in memory', () => {
  const parser = new AtomicParser('toy.inter', { separator: 9, select: (fields) => fields.map(() => null) });
  const chunk = new Uint8Array(1 << 24).fill(97);
  assert.throws(() => {
    for (let i = 0; i < 6; i++) parser.push(chunk);
  }, /a line of more than/);
});

parsing.run();

const reading = suite('readAtomic');
const all = (fields: readonly HeaderField[]) => fields.map(() => null);

reading('reads a file of many chunks', async () => {
  const file = join(temporaryFolder(), 'a.inter');
  const rows = 300_000;
  writeFileSync(file, `a:token\n${Array.from({ length: rows }, (_, i) => `token${i}\n`).join('')}`);
  assert.is(await readAtomic(file, { separator: 9, select: all }), rows);
});

reading('says that a file is missing or a folder', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'b.inter'));
  assert.match(
    await rejection(readAtomic(join(folder, 'a.inter'), { separator: 9, select: all })),
    /a\.inter: no such/,
  );
  assert.match(
    await rejection(readAtomic(join(folder, 'b.inter'), { separator: 9, select: all })),
    /is a folder/,
  );
});

reading.run();

const separators = suite('separatorByte');

separators('takes one ASCII character, and a tab as a shell hands it on', () => {
  assert.is(separatorByte('\t', 'field_separator'), 9);
  assert.is(separatorByte('\\t', 'field_separator'), 9);
  assert.is(separatorByte(',', 'field_separator'), 44);
  for (const bad of ['', '::', '\n', 'é']) {
    assert.throws(
      () => separatorByte(bad, 'field_separator'),
      /field_separator: [^]* is not one ASCII character/,
    );
  }
});

separators.run();
