import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../data/errors.js';
import { filterRows, loadedRows } from '../../data/filter.js';
import { fieldsToNormalize } from '../../data/inputs.js';
import { loadAtomic } from '../../data/load.js';
import type { DataOptions, Discretization } from '../../data/options.js';
import { listed } from '../../data/rows.js';
import type { FloatField, Schema } from '../../data/schema.js';

/** What a number in a row becomes as a model input: a value and the row of its table. */
export interface FloatInput {
  readonly value: number;
  readonly index: number;
}

/** Turns numbers of one field into model inputs, as training did; NaN is a missing one. */
export type FloatRule = (number: number) => FloatInput;

const noNote = () => {};

/**
 * Rules for the numbers that interactions themselves carry. Means, ranges and buckets are those of the interactions
 * that training kept, so the data set is read again; without such fields nothing is read. Throws DataError.
 */
export async function contextFloatRules(
  schema: Schema,
  options: DataOptions,
): Promise<ReadonlyMap<string, FloatRule>> {
  const fields = schema.float.filter(({ source }) => source === 'inter');
  if (fields.length === 0) return new Map();
  checkThere(fields, options);
  const raw = await loadAtomic(options);
  const rows = raw.benchmark === null ? filterRows(raw, options, noNote) : loadedRows(raw, options);
  const normalized = fieldsToNormalize(raw.fields, options, noNote);
  const ruleFor = (field: FloatField): [string, FloatRule] => {
    const column = raw.inter.columns.get(field.name);
    if (column?.type !== 'float') throw new Error(`${field.name}: is not loaded as a float`);
    const { values } = column;
    const seen = Float64Array.from(listed(rows.inter), (row) => values[row]);
    const buckets = options.discretization?.[field.name];
    return [field.name, floatRule(seen, normalized.has(field.name), buckets)];
  };
  return new Map(fields.map(ruleFor));
}

function checkThere(
  fields: readonly FloatField[],
  { data_path, dataset, benchmark_filename }: DataOptions,
): void {
  const parts = benchmark_filename ?? [''];
  const files = parts.map((part) =>
    join(data_path, dataset, [dataset, part, 'inter'].filter(Boolean).join('.')),
  );
  const missing = files.find((file) => !existsSync(file));
  if (missing === undefined) return;
  const names = fields.map(({ name }) => name).join(', ');
  throw new DataError(
    `no such file, and ${names} of a row is measured by what it holds; ` +
      'name the folder of the data sets with --data_path',
    missing,
  );
}

/**
 * The rule that training applied to `seen` (raw numbers, NaN where missing), for any number: missing ones become the
 * mean, ranges and buckets stay those of training, what lies outside falls into the nearest bucket.
 */
export function floatRule(
  seen: Float64Array,
  isNormalized: boolean,
  buckets: Discretization | undefined,
): FloatRule {
  const { min, max, mean } = summary(seen);
  const scaled = (number: number): number => {
    const present = Number.isNaN(number) ? mean : number;
    if (!isNormalized) return present;
    return min === max ? 1 : (present - min) / (max - min);
  };
  if (buckets === undefined) return (number) => ({ value: scaled(number), index: 1 });
  const bucketOf = (buckets.method === 'ED' ? equalDistances : squaredLogarithms)(
    Float64Array.from(seen, scaled),
    buckets.bucket ?? 1,
  );
  return (number) => ({ value: 1, index: bucketOf(scaled(number)) });
}

function summary(values: Float64Array): { min: number; max: number; mean: number } {
  let [min, max, sum, present] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    present++;
  }
  return { min, max, mean: sum / present };
}

const within = (bucket: number, least: number, most: number): number =>
  Math.min(Math.max(bucket, least), most);

/** Buckets 1 … `count` of equal width over the values seen, as `discretize` numbers them. */
function equalDistances(seen: Float64Array, count: number): (value: number) => number {
  const { min, max } = summary(seen);
  const upper = max + 1e-9;
  if (upper === min) return () => count;
  return (value) => within(Math.floor(((value - min) * count) / (upper - min) + 1), 1, count);
}

/** The rank of the squared logarithm among those seen, as `discretize` numbers them; of others the next one below. */
function squaredLogarithms(seen: Float64Array): (value: number) => number {
  const squared = (value: number) => (value > 2 ? Math.floor(Math.log(value + 1e-9) ** 2 + 1) : value);
  const steps = Float64Array.from(new Set(seen.map(squared))).sort();
  return (value) => {
    const wanted = squared(value);
    let [low, high] = [0, steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] <= wanted) low = middle + 1;
      else high = middle;
    }
    return within(low - 1, 0, steps.length - 1);
  };
}
