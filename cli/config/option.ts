import { ConfigError } from '../errors.js';
import { formatLiteral, isDict, LiteralError, parseLiteral, type ConfigValue } from './literal.js';

/** One option: what it is by default, what it means, and how a raw value becomes a T. */
export interface Option<T> {
  readonly default: T;
  readonly meaning: string;
  /** What kind of value it takes, in RecBole's words: int, float, bool, str, list, dict. */
  readonly kind: string;
  /** An empty default is a value, not something that must be given. */
  readonly mayBeEmpty?: boolean;
  /** A flag's text is the value itself, not a Python literal. */
  readonly verbatim: boolean;
  /** Checks a value; throws ConfigError beginning with `where`. */
  readonly read: (value: ConfigValue, where: string) => T;
}

/** Options by name; the order is the order of the help text. */
export type OptionTable = Readonly<Record<string, Option<ConfigValue>>>;

/** The values that a table of options yields. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer T> ? T : never;
};

/** A closed or half-open range of numbers. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive upper bound. */
  readonly below?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
}

function rangeText({ min, max, below, above }: Range): string {
  const low = min !== undefined ? `at least ${min}` : above !== undefined ? `above ${above}` : '';
  const high = max !== undefined ? `at most ${max}` : below !== undefined ? `below ${below}` : '';
  return [low, high].filter(Boolean).join(' and ');
}

function inRange(value: number, { min, max, below, above }: Range): boolean {
  const low = value >= (min ?? -Infinity) && value > (above ?? -Infinity);
  return low && value <= (max ?? Infinity) && value < (below ?? Infinity);
}

function checkedNumber(value: ConfigValue, where: string, range: Range, example: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ConfigError(`${where}: not a number; give ${example}`);
  }
  if (!inRange(value, range)) throw new ConfigError(`${where}: out of range; it must be ${rangeText(range)}`);
  return value;
}

/** A whole number. */
export function int(defaultValue: number, meaning: string, range: Range = {}): Option<number> {
  const example = `an int such as ${Number.isSafeInteger(defaultValue) ? defaultValue : (range.min ?? 1)}`;
  return {
    default: defaultValue,
    meaning,
    kind: 'int',
    verbatim: false,
    read(value, where) {
      const number = checkedNumber(value, where, range, example);
      if (!Number.isSafeInteger(number))
        throw new ConfigError(`${where}: not a whole number; give ${example}`);
      return number;
    },
  };
}

/** A finite number. */
export function float(defaultValue: number, meaning: string, range: Range = {}): Option<number> {
  const read = (value: ConfigValue, where: string) =>
    checkedNumber(value, where, range, `a float such as ${defaultValue}`);
  return { default: defaultValue, meaning, kind: 'float', verbatim: false, read };
}

/** True or False; 1 and 0 as Python takes them. */
export function bool(defaultValue: boolean, meaning: string): Option<boolean> {
  return {
    default: defaultValue,
    meaning,
    kind: 'bool',
    verbatim: false,
    read(value, where) {
      if (value === true || value === 1) return true;
      if (value === false || value === 0) return false;
      throw new ConfigError(`${where}: neither True nor False; give one of them`);
    },
  };
}

/** Any text. A YAML number is taken as its digits (a data set may be called 2018). */
export function text(defaultValue: string, meaning: string): Option<string> {
  return {
    default: defaultValue,
    meaning,
    kind: 'str',
    verbatim: true,
    read(value, where) {
      if (typeof value === 'string' && value !== '') return value;
      if (typeof value === 'number') return String(value);
      throw new ConfigError(`${where}: not a text; give one such as ${defaultValue || 'a/path'}`);
    },
  };
}

/** One of a few words, found regardless of case. */
export function choice<Word extends string>(
  defaultValue: Word,
  words: readonly Word[],
  meaning: string,
): Option<Word> {
  return {
    default: defaultValue,
    meaning: `${meaning}: ${words.join(', ')}`,
    kind: 'str',
    verbatim: true,
    read(value, where) {
      const word = words.find((one) => one.toLowerCase() === String(value).toLowerCase());
      if (word === undefined) throw new ConfigError(`${where}: not known; give one of ${words.join(', ')}`);
      return word;
    },
  };
}

/**
 * A list whose items are read by `item`; a single value counts as a list of one, as RecBole takes metrics and
 * topk.
 */
export function list<T extends ConfigValue>(
  defaultValue: readonly T[],
  item: Option<T>,
  meaning: string,
): Option<readonly T[]> {
  return {
    default: defaultValue,
    meaning,
    kind: 'list',
    verbatim: false,
    read(value, where) {
      const values: readonly ConfigValue[] = Array.isArray(value) ? value : [value];
      if (isDict(value))
        throw new ConfigError(`${where}: not a list; give one such as ${formatLiteral(defaultValue)}`);
      return values.map((one, i) => item.read(one, Array.isArray(value) ? `${where}: item ${i + 1}` : where));
    },
  };
}

/** The same option with None allowed, and None by default. */
export function optional<T>(option: Option<T>): Option<T | null> {
  return {
    ...option,
    default: null,
    read: (value, where) => (value === null || value === 'None' ? null : option.read(value, where)),
  };
}

/** An option of a shape of its own; `read` throws ConfigError beginning with `where`. */
export function special<T>(
  defaultValue: T,
  kind: string,
  meaning: string,
  read: (value: ConfigValue, where: string) => T,
): Option<T> {
  return { default: defaultValue, meaning, kind, verbatim: false, read };
}

const opensLiteral = /^\s*[[({'"]/;

/**
 * What RecBole makes of a flag's text: a Python literal, else true or false in any case, else the text
 * itself. A text that opens a list, a dictionary or a string has to be a whole literal: ConfigError with the
 * position.
 */
export function flagValue(raw: string, where: string): ConfigValue {
  if (/^(true|false)$/i.test(raw)) return raw.toLowerCase() === 'true';
  try {
    return parseLiteral(raw);
  } catch (error) {
    if (!(error instanceof LiteralError)) throw error;
    if (!opensLiteral.test(raw)) return raw;
    throw new ConfigError(
      `${where}: ${error.message}; give a Python literal such as [256, 256] or {'rating': 4}`,
    );
  }
}

/** Reads a flag's text for `option`; texts are taken as they are, unless they are quoted once more. */
export function readFlag<T>(option: Option<T>, raw: string, where: string): T {
  const isText = option.verbatim && !/^(['"]).*\1$/s.test(raw);
  return option.read(isText ? raw : flagValue(raw, where), where);
}
