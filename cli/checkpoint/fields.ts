/**
 * Reads plain data of unknown origin: every function checks one kind of value and throws Malformed with its
 * name.
 */

/** A value is not what it must be; the message says which and what. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** Data by name. */
export type Fields = Readonly<Record<string, unknown>>;

function need(ok: boolean, what: string, wanted: string): asserts ok {
  if (!ok) throw new Malformed(`${what} is not ${wanted}`);
}

export function fields(value: unknown, what: string): Fields {
  need(typeof value === 'object' && value !== null && !Array.isArray(value), what, 'a set of fields');
  return value as Fields;
}

export function text(value: unknown, what: string): string {
  need(typeof value === 'string', what, 'a text');
  return value;
}

export function number(value: unknown, what: string): number {
  need(typeof value === 'number', what, 'a number');
  return value;
}

/** A whole number from `least` on. */
export function count(value: unknown, what: string, least = 0): number {
  need(
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least,
    what,
    `a count from ${least} on`,
  );
  return value;
}

export function word<Word extends string>(value: unknown, what: string, words: readonly Word[]): Word {
  const found = words.find((one) => one === value);
  need(found !== undefined, what, `one of ${words.join(', ')}`);
  return found;
}

export function list<T>(
  value: unknown,
  what: string,
  item: (value: unknown, what: string) => T,
): readonly T[] {
  need(Array.isArray(value), what, 'a list');
  return value.map((one, i) => item(one, `${what}[${i}]`));
}

export function record<T>(
  value: unknown,
  what: string,
  item: (value: unknown, what: string) => T,
): Readonly<Record<string, T>> {
  const entries = Object.entries(fields(value, what));
  return Object.fromEntries(entries.map(([name, one]) => [name, item(one, `${what}.${name}`)]));
}

export function orNull<T>(value: unknown, what: string, item: (value: unknown, what: string) => T): T | null {
  return value === null ? null : item(value, what);
}
