/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** True for a dictionary. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const space = /\s*/y;
const text = /[uUbB]?(?:'([^'\\]*(?:\\[^][^'\\]*)*)'|"([^"\\]*(?:\\[^][^"\\]*)*)")/y;
const number = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[lL]?/y;
const word = /[A-Za-z_]+/y;
const words: Readonly<Record<string, Json>> = { None: null, True: true, False: false, nan: null, NaN: null };
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\n': '',
};
const escape = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[^])/g;
// Real records are three deep; a line of brackets must not exhaust the stack.
const MOST_DEPTH = 100;

/**
 * Reads what Python prints for dictionaries, lists and plain values, which Amazon's metadata calls "loose JSON".
 * Throws SyntaxError with the position.
 */
export function parsePython(source: string): Json {
  const reader = new Reader(source);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  #at = 0;

  constructor(private readonly source: string) {}

  value(depth: number): Json {
    if (depth > MOST_DEPTH) this.#fail('nested too deeply');
    this.#match(space);
    switch (this.source[this.#at]) {
      case '{':
        return this.#dictionary(depth);
      case '[':
        return this.#list(']', depth);
      case '(':
        return this.#list(')', depth);
      default:
        return this.#plain();
    }
  }

  end(): void {
    this.#match(space);
    if (this.#at < this.source.length) this.#fail('text after the value');
  }

  #plain(): Json {
    const quoted = this.#match(text);
    if (quoted !== null) return unescaped(quoted[1] ?? quoted[2]);
    const digits = this.#match(number);
    if (digits !== null) return Number(digits[0].replace(/l$/i, ''));
    const name = this.#match(word);
    if (name !== null && Object.hasOwn(words, name[0])) return words[name[0]];
    return this.#fail('no value');
  }

  #dictionary(depth: number): Json {
    const entries: [string, Json][] = [];
    this.#items('}', () => {
      const key = this.value(depth + 1);
      if (!this.#skip(':')) this.#fail('no ":" after a key');
      entries.push([String(key), this.value(depth + 1)]);
    });
    return Object.fromEntries(entries);
  }

  #list(close: string, depth: number): Json {
    const values: Json[] = [];
    this.#items(close, () => values.push(this.value(depth + 1)));
    return values;
  }

  /** Items with commas between them, up to `close`; a last comma is allowed. */
  #items(close: string, item: () => void): void {
    this.#at++;
    while (!this.#skip(close)) {
      item();
      if (this.#skip(',')) continue;
      if (!this.#skip(close)) this.#fail(`neither "," nor "${close}" after an item`);
      return;
    }
  }

  #skip(character: string): boolean {
    this.#match(space);
    if (this.source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  #fail(what: string): never {
    throw new SyntaxError(`${what} at character ${this.#at + 1}`);
  }
}

function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw.replace(escape, (whole, code: string) => {
    if (/^[xuU]./.test(code)) {
      const point = Number.parseInt(code.slice(1), 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    }
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return escapes[code] ?? (/['"\\]/.test(code) ? code : whole);
  });
}
