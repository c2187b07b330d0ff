/**
 * Anything a configuration can hold: what RecBole's YAML files and Python literals on the command line can
 * say.
 */
export type ConfigValue =
  null | boolean | number | string | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

/** A text that is no Python literal; `at` is the 0-based position of the first wrong character. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError';

  constructor(
    message: string,
    readonly at: number,
  ) {
    super(`${message} (character ${at + 1})`);
  }
}

interface Cursor {
  readonly text: string;
  at: number;
}

// Beyond this a value is an attack on the stack, not an option.
const maxDepth = 64;
const numberPattern = /[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?/y;
const wordPattern = /[\p{L}_][\p{L}\p{N}_.-]*/uy;
const words: ReadonlyMap<string, ConfigValue> = new Map<string, ConfigValue>([
  ['None', null],
  ['True', true],
  ['False', false],
]);
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function skipSpace(cursor: Cursor): void {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++;
}

function match(cursor: Cursor, pattern: RegExp): string | null {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? null;
  if (found !== null) cursor.at += found.length;
  return found;
}

/** Consumes `char` after optional space; false if something else stands there. */
function take(cursor: Cursor, char: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at++;
  return true;
}

function fail(cursor: Cursor, message: string, at = cursor.at): never {
  throw new LiteralError(message, at);
}

function here(cursor: Cursor): string {
  return cursor.at < cursor.text.length ? `"${cursor.text[cursor.at]}"` : 'the end';
}

function readEscape(cursor: Cursor): string {
  const char = cursor.text[cursor.at] ?? '';
  const digits = char === 'x' ? 2 : char === 'u' ? 4 : 0;
  if (digits === 0) {
    if (!(char in escapes)) fail(cursor, `unknown escape "\\${char}"; write a backslash as "\\\\"`);
    cursor.at++;
    return escapes[char];
  }
  const code = cursor.text.slice(cursor.at + 1, cursor.at + 1 + digits);
  if (!new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(code))
    fail(cursor, `"\\${char}" needs ${digits} hex digits`);
  cursor.at += 1 + digits;
  return String.fromCharCode(Number.parseInt(code, 16));
}

function readString(cursor: Cursor, quote: string): string {
  const start = cursor.at++;
  let value = '';
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at++];
    if (char === quote) return value;
    value += char === '\\' ? readEscape(cursor) : char;
  }
  return fail(cursor, `the string is not closed; add ${quote}`, start);
}

/** Items up to `close`, a trailing comma allowed; `open` is where the bracket stands. */
function readItems(
  cursor: Cursor,
  close: string,
  open: number,
  item: () => void,
): { trailingComma: boolean } {
  let trailingComma = false;
  for (;;) {
    if (take(cursor, close)) return { trailingComma };
    if (cursor.at >= cursor.text.length)
      fail(cursor, `"${cursor.text[open]}" is not closed; add "${close}"`, open);
    item();
    trailingComma = take(cursor, ',');
    skipSpace(cursor);
    const ended = cursor.at >= cursor.text.length || cursor.text[cursor.at] === close;
    if (!trailingComma && !ended) fail(cursor, `want "," or "${close}" before ${here(cursor)}`);
  }
}

function readSequence(cursor: Cursor, close: string, depth: number): ConfigValue {
  const open = cursor.at++;
  const values: ConfigValue[] = [];
  const { trailingComma } = readItems(cursor, close, open, () => values.push(readValue(cursor, depth)));
  // Python: (4) is 4 in brackets, (4,) is a tuple.
  return close === ')' && values.length === 1 && !trailingComma ? values[0] : values;
}

function readDict(cursor: Cursor, depth: number): ConfigValue {
  const open = cursor.at++;
  const entries = new Map<string, ConfigValue>();
  readItems(cursor, '}', open, () => {
    skipSpace(cursor);
    const at = cursor.at;
    const key = readValue(cursor, depth);
    if (typeof key !== 'string' && typeof key !== 'number')
      fail(cursor, 'a key must be a string or a number', at);
    if (!take(cursor, ':')) fail(cursor, `want ":" after key ${formatLiteral(key)}`);
    if (entries.has(String(key))) fail(cursor, `key ${formatLiteral(key)} is given twice`, at);
    entries.set(String(key), readValue(cursor, depth));
  });
  return Object.fromEntries(entries);
}

function readValue(cursor: Cursor, depth: number): ConfigValue {
  if (depth > maxDepth) fail(cursor, `nested deeper than ${maxDepth}`);
  skipSpace(cursor);
  const char = cursor.text[cursor.at];
  if (char === '[') return readSequence(cursor, ']', depth + 1);
  if (char === '(') return readSequence(cursor, ')', depth + 1);
  if (char === '{') return readDict(cursor, depth + 1);
  if (char === "'" || char === '"') return readString(cursor, char);
  const start = cursor.at;
  const number = match(cursor, numberPattern);
  if (number !== null) return Number(number.replaceAll('_', ''));
  const word = match(cursor, wordPattern);
  if (word === null) return fail(cursor, `want a value before ${here(cursor)}`);
  const value = words.get(word);
  // The usual cause: the shell has eaten the quotes of a flag that is not quoted as a whole.
  if (value === undefined)
    fail(cursor, `${word} has no quotes; write '${word}' and quote the whole flag`, start);
  return value;
}

/**
 * Reads one Python literal: numbers, strings, True, False, None, lists, tuples (as lists), dictionaries,
 * nested. Nothing is evaluated. Throws LiteralError with the position.
 */
export function parseLiteral(text: string): ConfigValue {
  const cursor: Cursor = { text, at: 0 };
  const value = readValue(cursor, 0);
  skipSpace(cursor);
  if (cursor.at < text.length) fail(cursor, `${here(cursor)} follows a complete value`);
  return value;
}

function quoted(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r');
  return `'${escaped.replaceAll("'", "\\'")}'`;
}

/** True for a dictionary, so neither a scalar, nor null, nor a list. */
export function isDict(value: ConfigValue): value is { readonly [key: string]: ConfigValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a Python literal, as RecBole prints and reads it; parseLiteral gives the same value back. */
export function formatLiteral(value: ConfigValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (!isDict(value)) return `[${value.map(formatLiteral).join(', ')}]`;
  const entries = Object.entries(value).map(([key, item]) => `${quoted(key)}: ${formatLiteral(item)}`);
  return `{${entries.join(', ')}}`;
}

/** A value as one types it after `--name=`: texts without quotes, unless one could not see where they end. */
export function plainText(value: ConfigValue): string {
  return typeof value === 'string' && /^\S(.*\S)?$/.test(value) ? value : formatLiteral(value);
}
