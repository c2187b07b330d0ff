import type { Discretization } from './options.js';

/** Puts the mean of the present values where one is missing (NaN); a column without any value stays as it is. */
export function fillMissing(values: Float64Array): void {
  if (!values.includes(NaN)) return;
  let sum = 0;
  let present = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    present++;
  }
  if (present === 0) return;
  const mean = sum / present;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = mean;
}

/** Brings the values to 0 .. 1 by their least and largest; if those are equal, to 1 and returns false. */
export function normalize(values: Float64Array): boolean {
  const { min, max } = bounds(values);
  const isConstant = min === max;
  for (let i = 0; i < values.length; i++) values[i] = isConstant ? 1 : (values[i] - min) / (max - min);
  return !isConstant;
}

/** The bucket of each value, as RecBole numbers them: equal distances from 1 on, logarithms from 0 on. */
export function discretize(values: Float64Array, { method, bucket = 1 }: Discretization): Uint32Array {
  return method === 'ED' ? equalDistances(values, bucket) : squaredLogarithms(values);
}

function bounds(values: Float64Array): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

function equalDistances(values: Float64Array, bucket: number): Uint32Array {
  const { min, max } = bounds(values);
  const upper = max + 1e-9; // so that the largest value falls into the last bucket
  return Uint32Array.from(values, (value) =>
    upper === min ? bucket : Math.floor(((value - min) * bucket) / (upper - min) + 1),
  );
}

/** Values up to 2 count as they are; what remains is numbered in ascending order. */
function squaredLogarithms(values: Float64Array): Uint32Array {
  const scaled = values.map((value) => (value > 2 ? Math.floor(Math.log(value + 1e-9) ** 2 + 1) : value));
  const distinct = [...new Set(scaled.slice().sort())];
  const rank = new Map(distinct.map((value, i) => [value, i]));
  return Uint32Array.from(scaled, (value) => rank.get(value) ?? 0);
}

/** The rows of a sequence column side by side, right-padded with 0 to the longest: items [rows, maxLength]. */
export function padded<T extends Uint32Array | Float64Array>(
  items: T,
  offsets: Uint32Array,
): { items: T; maxLength: number } {
  const rows = offsets.length - 1;
  let maxLength = 1; // a kernel needs a row to have a width
  for (let row = 0; row < rows; row++) maxLength = Math.max(maxLength, offsets[row + 1] - offsets[row]);
  const all = new (items.constructor as new (length: number) => T)(rows * maxLength);
  for (let row = 0; row < rows; row++) {
    for (let i = offsets[row]; i < offsets[row + 1]; i++) all[row * maxLength + i - offsets[row]] = items[i];
  }
  return { items: all, maxLength };
}
