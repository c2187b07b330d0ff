import { missingWords } from './interner.js';

const powersOfTen = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);
const decimal = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

/** Correctly rounded; NaN if the bytes are no finite decimal number. */
export function parseFloat64(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  let digits = 0;
  let point = -1;
  let at = first;
  for (; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (digit === -2 && point < 0) point = at;
    else break;
  }
  const count = end - first - (point < 0 ? 0 : 1);
  // Up to 15 digits and their power of ten are exact, so that one division rounds once.
  if (at < end || count <= 0 || count > 15) return parseSlowly(latin1(bytes, start, end));
  const value = point < 0 ? digits : digits / powersOfTen[end - point - 1];
  return negative ? -value : value;
}

function parseSlowly(text: string): number {
  const value = decimal.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

/** An empty cell, or a word that stands for one. */
export function isMissing(bytes: Uint8Array, start: number, end: number): boolean {
  return start === end || missingWords.includes(latin1(bytes, start, end));
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
