import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  formatLiteral,
  LiteralError,
  parseLiteral,
  plainText,
  type ConfigValue,
} from '../../cli/config/literal.js';

const parsing = suite('parseLiteral');

const same: readonly (readonly [string, ConfigValue])[] = [
  ['3', 3],
  ['-3', -3],
  ['+3', 3],
  ['1e-3', 0.001],
  ['5E4', 50000],
  ['.5', 0.5],
  ['5.', 5],
  ['1_000', 1000],
  ['True', true],
  ['False', false],
  ['None', null],
  ["'a b'", 'a b'],
  ['"it\'s"', "it's"],
  ["'tab\\t, quote\\', \\x41\\u00e9'", "tab\t, quote', Aé"],
  ['[256, 256, 256]', [256, 256, 256]],
  ['[ ]', []],
  ['[1,2,]', [1, 2]],
  ['(1, 2)', [1, 2]],
  ['(1,)', [1]],
  ['(1)', 1],
  ["{'rating': 4}", { rating: 4 }],
  ["{'RS': [0.8, 0.1, 0.1], 'n': {'x': None}}", { RS: [0.8, 0.1, 0.1], n: { x: null } }],
  ['{1: 2}', { '1': 2 }],
  ['{}', {}],
  ['  [ True , None ]  ', [true, null]],
];

parsing('reads what Python would read', () => {
  for (const [text, value] of same) assert.equal(parseLiteral(text), value, text);
});

const wrong: readonly (readonly [string, string, number])[] = [
  ['', 'want a value before the end', 0],
  ['[256, 25', '"[" is not closed; add "]"', 0],
  ["{'a': 1", '"{" is not closed; add "}"', 0],
  ['[1 2]', 'want "," or "]" before "2"', 3],
  ['[1,,2]', 'want a value before ","', 3],
  ["{'a' 1}", 'want ":" after key \'a\'', 5],
  ["{'a': 1, 'a': 2}", "key 'a' is given twice", 9],
  ["['AUC, 'x']", 'want "," or "]" before "x"', 8],
  ["'open", "the string is not closed; add '", 0],
  ['[AUC]', "AUC has no quotes; write 'AUC' and quote the whole flag", 1],
  ['1 2', '"2" follows a complete value', 2],
  ['{[1]: 2}', 'a key must be a string or a number', 1],
  ["'\\q'", 'unknown escape "\\q"; write a backslash as "\\\\"', 2],
  ["'\\x4'", '"\\x" needs 2 hex digits', 2],
  ['__import__("os")', "__import__ has no quotes; write '__import__' and quote the whole flag", 0],
];

function errorOf(text: string): LiteralError {
  try {
    parseLiteral(text);
  } catch (error) {
    if (error instanceof LiteralError) return error;
  }
  throw new Error(`${text} was accepted`);
}

parsing('says what is wrong and where', () => {
  for (const [text, message, at] of wrong) {
    const error = errorOf(text);
    assert.equal([error.message, error.at], [`${message} (character ${at + 1})`, at], text);
  }
});

parsing('survives nesting that would exhaust the stack', () => {
  assert.throws(() => parseLiteral('['.repeat(100_000)), /nested deeper than 64/);
});

parsing('keeps keys that objects inherit', () => {
  const value = parseLiteral("{'__proto__': 1, 'constructor': 2}");
  assert.equal(Object.entries(value ?? {}), [
    ['__proto__', 1],
    ['constructor', 2],
  ]);
});

parsing.run();

const formatting = suite('formatLiteral');

formatting('writes what parseLiteral reads back', () => {
  for (const [text, value] of same) assert.equal(parseLiteral(formatLiteral(value)), value, text);
  for (const value of [1e-10, 123456789012, 'a\\b\n\'"', { "it's": ['\t'] }]) {
    assert.equal(parseLiteral(formatLiteral(value)), value);
  }
});

formatting('writes as Python prints', () => {
  assert.is(formatLiteral({ rating: 4, on: [true, null, 'x'] }), "{'rating': 4, 'on': [True, None, 'x']}");
});

formatting.run();

const plain = suite('plainText');

plain('quotes a text only where its end would be invisible', () => {
  assert.is(plainText('ml-100k'), 'ml-100k');
  assert.is(plainText('a b'), 'a b');
  assert.is(plainText(' '), "' '");
  assert.is(plainText('\t'), "'\\t'");
  assert.is(plainText(''), "''");
  assert.is(plainText(null), 'None');
});

plain.run();
