import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { categoryText } from '../../data/convert/amazon.js';
import { delimitedRows } from '../../data/convert/delimited.js';
import { Distinct } from '../../data/convert/distinct.js';
import { linesOf } from '../../data/convert/lines.js';
import { titleAndYear } from '../../data/convert/movielens.js';
import { parsePython } from '../../data/convert/python.js';
import { entryRows } from '../../data/convert/records.js';
import { seconds } from '../../data/convert/yelp.js';
import { all, inputOf, pieces } from '../support/convert.js';

const lines = suite('linesOf');

lines('numbers lines whatever the pieces they come in, without ends and mark', async () => {
  const text = '\uFEFFeins\r\nzwölf\n\ndrei';
  for (const size of [1, 2, 3, 7, 100]) {
    const found: [number, string][] = [];
    for await (const { first, texts } of linesOf(pieces(Buffer.from(text), size), 'a')) {
      texts.forEach((one, i) => found.push([first + i, one]));
    }
    assert.equal(found, [
      [1, 'eins'],
      [2, 'zwölf'],
      [3, ''],
      [4, 'drei'],
    ]);
  }
});

lines('reads Latin 1 as such', async () => {
  const found: string[] = [];
  for await (const { texts } of linesOf(pieces(Buffer.from('Caf\xe9 \x80\n', 'latin1'), 3), 'a', 'latin1')) {
    found.push(...texts);
  }
  assert.equal(found, ['Café \x80']);
});

lines.run();

const delimited = suite('delimitedRows');

delimited('takes quotes off, over lines too, and keeps count of lines', async () => {
  const input = inputOf('a,b\n"1,2","say ""x"""\nc"d,e\n"two\nlines",f\n\nlast,row\n');
  assert.equal(await all(delimitedRows(input, { delimiter: ',', quotes: true })), [
    { line: 1, cells: ['a', 'b'] },
    { line: 2, cells: ['1,2', 'say "x"'] },
    { line: 3, cells: ['c"d', 'e'] },
    { line: 4, cells: ['two\nlines', 'f'] },
    { line: 7, cells: ['last', 'row'] },
  ]);
  assert.equal(input.rejected, []);
});

delimited('leaves quotes alone where they mean nothing', async () => {
  const rows = await all(delimitedRows(inputOf('1::"x::2\n'), { delimiter: '::', quotes: false }));
  assert.equal(rows, [{ line: 1, cells: ['1', '"x', '2'] }]);
});

delimited('rejects a quote that is never closed, at the line where it opens', async () => {
  const input = inputOf('a,b\n"open,b\nc,d\n');
  assert.is((await all(delimitedRows(input, { delimiter: ',', quotes: true }))).length, 1);
  assert.is(input.rejected.length, 1);
  assert.match(input.rejected[0], /^2: a quoted cell is never closed, in ""open,b"/);
});

delimited.run();

const python = suite('parsePython');

python('reads what Python prints', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["{'a': 1, 'b': [1.5, -2e3, None, True, False]}", { a: 1, b: [1.5, -2000, null, true, false] }],
    [`{'it': "it's", 'q': 'say "x"', u'u': u'y'}`, { it: "it's", q: 'say "x"', u: 'y' }],
    [
      String.raw`['\'', '\\', '\n', '\t', '\xe9', '\u20ac', '\U0001f600', '\101', '\d']`,
      ["'", '\\', '\n', '\t', 'é', '€', '😀', 'A', '\\d'],
    ],
    ["{'n': {}, 'l': [[], ()], 't': (1, 2,)}", { n: {}, l: [[], []], t: [1, 2] }],
    ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
    [' 12L ', 12],
  ];
  for (const [text, value] of cases) assert.equal(parsePython(text), value, text);
});

python('says what is wrong and where', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["{'a': }", /no value at character 7/],
    ["{'a' 1}", /no ":" after a key at character 6/],
    ["{'a': 1", /neither "," nor "}" after an item at character 8/],
    ["{'a': 'open}", /no value at character 7/],
    ['[1] 2', /text after the value at character 5/],
    ['nonsense', /no value/],
    ['['.repeat(5000), /nested too deeply/],
  ];
  for (const [text, message] of cases)
    assert.throws(
      () => parsePython(text),
      (error: Error) => error instanceof SyntaxError && message.test(error.message),
    );
});

python('reads a string of many megabytes', () => {
  const long = "it\\'s ".repeat(500_000);
  assert.is((parsePython(`{'d': '${long}'}`) as { d: string }).d.length, 500_000 * 5);
});

python.run();

const entries = suite('entryRows');

entries('reads JSON and Python a line each, and rejects the others by line', async () => {
  const input = inputOf(`{"a": "x"}\n{'a': 'y'}\n\n[1]\n{"a": \n{"b": 1}\n`);
  const rows = await all(
    entryRows(input, ({ a }) => {
      if (a === undefined) throw new SyntaxError('no a');
      return [String(a)];
    }),
  );
  assert.equal(rows, [
    { line: 1, cells: ['x'] },
    { line: 2, cells: ['y'] },
  ]);
  assert.is(input.rejected.length, 3);
  assert.match(input.rejected[0], /^4: "\[1\]" is no object/);
  assert.match(input.rejected[1], /^5: "\{"a": " is neither JSON nor a Python dictionary: no value/);
  assert.is(input.rejected[2], '6: no a');
});

entries.run();

const parts = suite('titleAndYear, seconds, categoryText');

parts('take a title apart at its last year', () => {
  assert.equal(titleAndYear('Toy Story (1995)'), ['Toy Story', '1995']);
  assert.equal(titleAndYear('Seven (Se7en) (1995)'), ['Seven (Se7en)', '1995']);
  assert.equal(titleAndYear('Untitled'), ['Untitled', '']);
});

parts('read dates as UTC', () => {
  assert.is(seconds('1970-01-02'), '86400');
  assert.is(seconds('2016-03-09 16:44:04'), '1457541844');
  assert.throws(() => seconds('9.3.2016'), /date is "9.3.2016"/);
});

parts('print categories once each, as Python does', () => {
  assert.is(
    categoryText([
      ['Books', 'Arts & Photo'],
      ['Books', "Children's"],
    ]),
    `'Books', 'Arts & Photo', "Children's"`,
  );
  assert.is(categoryText(undefined), '');
});

parts.run();

const distinct = suite('Distinct');

distinct('counts as a set does', () => {
  const [counter, set] = [new Distinct(), new Set<string>()];
  for (let i = 0; i < 300_000; i++) {
    const text = `A${((i * 2654435761) >>> 0) % 100_003}`;
    counter.add(text);
    set.add(text);
  }
  for (const text of ['', 'é', 'e', 'ab', 'ba', '0', '00']) {
    counter.add(text);
    set.add(text);
  }
  assert.is(counter.size, set.size);
});

distinct.run();
