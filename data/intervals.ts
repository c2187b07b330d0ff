import { DataError } from './errors.js';
import type { Interval } from './options.js';

/** Whether a number lies in one of the intervals. */
export type Within = (value: number) => boolean;

/** A parsed option such as "[10,inf)" or "[1,2];(4,5)". */
export interface Intervals {
  readonly within: Within;
  /** Left end of the first interval, which RecBole takes as the least count of a user or item with a row of features. */
  readonly least: number;
}

const pattern = /^([[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])$/;

/** Parses intervals joined by ";"; `where` names the option in the DataError that is thrown if one is malformed. */
export function parseIntervals(option: Interval, where: string): Intervals {
  const text = typeof option === 'string' ? option : `[${option.join(',')}]`;
  const parsed = text.split(';').map((part) => parseOne(part.trim(), where));
  return { within: (value) => parsed.some(({ within }) => within(value)), least: parsed[0].left };
}

function parseOne(text: string, where: string): { left: number; within: Within } {
  const [, open, leftText, rightText, close] = pattern.exec(text) ?? [];
  const left = parseEnd(leftText);
  const right = parseEnd(rightText);
  if (!(left <= right)) {
    throw new DataError(
      `${where}: "${text}" is no interval; give one such as "[10,inf)", or several joined by ";"`,
    );
  }
  const above: Within = open === '[' ? (value) => value >= left : (value) => value > left;
  const below: Within = close === ']' ? (value) => value <= right : (value) => value < right;
  return { left, within: (value) => above(value) && below(value) };
}

function parseEnd(text = ''): number {
  const infinite = /^([-+]?)inf(inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  return text === '' ? NaN : Number(text);
}
