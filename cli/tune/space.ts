import { readFileSync } from 'node:fs';
import { ConfigError, isSystemError } from '../errors.js';
import { LiteralError, parseLiteral, type ConfigValue } from '../config/literal.js';

/** Where a dimension was said: its name, and `file:line: name` for messages. */
interface Stated {
  readonly name: string;
  readonly where: string;
  /** The line with single spaces, by which a study knows it again. */
  readonly text: string;
}

/** One of some values. */
export interface Choice extends Stated {
  readonly kind: 'choice';
  readonly values: readonly ConfigValue[];
}

/** A number: z, or e^z, rounded to multiples of `step`; z uniform in [a, b), or normal of mean a and deviation b. */
export interface Numeric extends Stated {
  readonly kind: 'numeric';
  readonly prior: 'uniform' | 'normal';
  readonly a: number;
  readonly b: number;
  readonly log: boolean;
  readonly step: number | null;
}

/** An option to search, and how its values are spread. */
export type Dimension = Choice | Numeric;

/** A value for each dimension, by name. */
export type Params = { readonly [name: string]: ConfigValue };

/** Numbers in (0, 1), one after another. */
export type Draw = () => number;

const examples =
  'choice [64, 128], uniform 0,0.5, quniform 1,5,1, loguniform -8,0, qloguniform, randint 1,6, normal 0,1, ' +
  'qnormal, lognormal or qlognormal';

/** What `z` stands for. */
export function valueOf({ log, step }: Numeric, z: number): number {
  const value = log ? Math.exp(z) : z;
  if (step === null) return value;
  // 3 · 0.1 is 0.30000000000000004, which nobody asked for; adding 0 takes the sign off -0.
  return Number((Math.round(value / step) * step).toPrecision(12)) + 0;
}

/** The z of a value; a rounded 0 of a log scale is as far down as half a step. */
export function latentOf({ log, step }: Numeric, value: number): number {
  return log ? Math.log(Math.max(value, (step ?? 0) / 2, Number.MIN_VALUE)) : value;
}

/** A standard normal number. Box and Muller 1958. */
export function drawNormal(draw: Draw): number {
  return Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw());
}

/** A value by the dimension's own distribution. */
export function sample(dimension: Dimension, draw: Draw): ConfigValue {
  if (dimension.kind === 'choice') {
    return dimension.values[Math.floor(draw() * dimension.values.length)];
  }
  const { prior, a, b } = dimension;
  return valueOf(dimension, prior === 'uniform' ? a + (b - a) * draw() : a + b * drawNormal(draw));
}

/** All values of a dimension, ascending. Throws ConfigError where there is no end of them. */
export function gridOf(dimension: Dimension): readonly ConfigValue[] {
  if (dimension.kind === 'choice') return dimension.values;
  const { where, prior, a, b, step } = dimension;
  if (step === null || prior === 'normal') {
    throw new ConfigError(
      `${where}: has no end of values, which cannot all be tried; ` +
        'give choice, quniform or randint, or --algo=random or bayes',
    );
  }
  const [low, high] = [valueOf(dimension, a), valueOf(dimension, b - 1e-9 * (b - a))];
  const count = Math.round((high - low) / step) + 1;
  return Array.from({ length: count }, (_, i) => Number((low + i * step).toPrecision(12)));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
    throw new ConfigError(`${path}: no such file; check the path in --params_file`);
  }
}

/** `name kind value` a line, as RecBole's hyper.test; empty lines and those of # say nothing. Throws ConfigError. */
export function readSpace(path: string): readonly Dimension[] {
  const space: Dimension[] = [];
  for (const [i, line] of readText(path).split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const dimension = parseLine(line.trim(), `${path}:${i + 1}`);
    if (space.some(({ name }) => name === dimension.name)) {
      throw new ConfigError(`${dimension.where}: is there twice; keep one of the lines`);
    }
    space.push(dimension);
  }
  if (space.length === 0) {
    throw new ConfigError(`${path}: nothing to search; write lines such as learning_rate loguniform -8,0`);
  }
  return space;
}

function parseLine(line: string, place: string): Dimension {
  const [, name, kind, rest] = /^(\S+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
  if (name === undefined) {
    throw new ConfigError(`${place}: "${line}" is not "name kind value"; give a kind of ${examples}`);
  }
  const stated = { name, where: `${place}: ${name}`, text: `${name} ${kind} ${rest.replace(/\s+/g, '')}` };
  if (kind === 'choice') return { ...stated, kind, values: readChoice(rest, stated.where) };
  if (kind === 'randint') return { ...stated, kind: 'numeric', ...readRandint(rest, stated.where) };
  const [, rounded, log, prior] = /^(q?)(log)?(uniform|normal)$/.exec(kind) ?? [];
  if (prior !== 'uniform' && prior !== 'normal') {
    throw new ConfigError(`${stated.where}: no kind is called ${kind}; give ${examples}`);
  }
  const names = [
    ...(prior === 'uniform' ? ['low', 'high'] : ['mean', 'deviation']),
    ...(rounded && ['step']),
  ];
  const [a, b, step = null] = readNumbers(rest, `${stated.where}: ${kind}`, names);
  checkNumbers({ prior, a, b, step }, `${stated.where}: ${kind} ${rest}`);
  return { ...stated, kind: 'numeric', prior, a, b, step, log: log !== undefined };
}

function readChoice(text: string, where: string): readonly ConfigValue[] {
  try {
    const values = parseLiteral(text);
    if (Array.isArray(values) && values.length > 0) return values as readonly ConfigValue[];
  } catch (error) {
    if (!(error instanceof LiteralError)) throw error;
    throw new ConfigError(`${where}: choice ${text}: ${error.message}; give a list such as [64, 128]`);
  }
  throw new ConfigError(`${where}: choice ${text} is no list of values; give one such as [64, 128]`);
}

/** Whole numbers from low, or 0, to below high, all as likely. */
function readRandint(text: string, where: string): Pick<Numeric, 'prior' | 'a' | 'b' | 'step' | 'log'> {
  const names = text.includes(',') ? ['low', 'high'] : ['high'];
  const numbers = readNumbers(text, `${where}: randint`, names);
  const [low, high] = numbers.length === 1 ? [0, numbers[0]] : numbers;
  if (!Number.isInteger(low) || !Number.isInteger(high) || low >= high) {
    throw new ConfigError(
      `${where}: randint ${text} wants whole numbers, low below high; give 1,6 for 1 to 5`,
    );
  }
  return { prior: 'uniform', a: low - 0.5, b: high - 0.5, step: 1, log: false };
}

function readNumbers(text: string, where: string, names: readonly string[]): number[] {
  const numbers = text.split(',').map((word) => (word.trim() === '' ? NaN : Number(word)));
  if (numbers.length === names.length && numbers.every(Number.isFinite)) return numbers;
  throw new ConfigError(`${where} ${text}: not the numbers ${names.join(',')}; give ${examples}`);
}

function checkNumbers(
  { prior, a, b, step }: Pick<Numeric, 'prior' | 'a' | 'b' | 'step'>,
  where: string,
): void {
  if (prior === 'uniform' && a >= b)
    throw new ConfigError(`${where}: low is ${a}, high ${b}; put low below high`);
  if (prior === 'normal' && b <= 0)
    throw new ConfigError(`${where}: the deviation is ${b}; give one above 0`);
  if (step !== null && step <= 0) throw new ConfigError(`${where}: the step is ${step}; give one above 0`);
}
