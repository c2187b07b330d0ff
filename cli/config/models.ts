import { ConfigError } from '../errors.js';
import { isDict, type ConfigValue } from './literal.js';
import { nearest } from './nearest.js';
import {
  bool,
  float,
  int,
  list,
  special,
  text,
  type Option,
  type OptionTable,
  type Range,
} from './option.js';

/** What the configuration needs to know of a model: a model definition has these. */
export interface ModelOptions {
  readonly name: string;
  readonly paper: string;
  readonly config: Readonly<Record<string, { readonly default: unknown; readonly meaning: string }>>;
}

const probabilityName = /(^|_)drop(out)?(_|$)/;
const countName = /(_size|_num|_list|depth|low_rank|cin|^n_.*|^num_.*)$/;

function numberOption(name: string, value: number, meaning: string): Option<number> {
  const probability: Range = { min: 0, below: 1 };
  if (probabilityName.test(name)) return float(value, meaning, probability);
  // A whole default proves nothing: reg_weight is 2 in one model and 5e-4 in the next.
  return countName.test(name) ? int(value, meaning, { min: 1 }) : float(value, meaning);
}

function anything(value: ConfigValue, meaning: string): Option<ConfigValue> {
  return special<ConfigValue>(value, isDict(value) ? 'dict' : 'any', meaning, (given) => given);
}

/**
 * A model declares a default and a meaning; what values it takes follows from the default and RecBole's
 * names.
 */
export function modelOption(name: string, value: ConfigValue, meaning: string): Option<ConfigValue> {
  if (typeof value === 'boolean') return bool(value, meaning);
  if (typeof value === 'string') return optionalText(value, meaning);
  if (typeof value === 'number') return numberOption(name, value, meaning);
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) {
    return list(value, numberOption(name, value[0] ?? 1, ''), meaning);
  }
  return anything(value, meaning);
}

/** A text that may be empty, as RecBole's warm_up is. */
function optionalText(value: string, meaning: string): Option<string> {
  const option = text(value, meaning);
  return {
    ...option,
    mayBeEmpty: true,
    read: (given, where) => (given === '' ? '' : option.read(given, where)),
  };
}

/** The options a model declares, ready to be read. */
export function modelTable(model: ModelOptions): OptionTable {
  const entries = Object.entries(model.config).map(([name, { default: value, meaning }]) => {
    // A model's defaults are literals of its source file, so they are configuration values.
    return [name, modelOption(name, value as ConfigValue, meaning)] as const;
  });
  return Object.fromEntries(entries);
}

/** The model called `name` in any case. Throws ConfigError with the nearest or all names. */
export function findModel<Model extends ModelOptions>(name: string, models: readonly Model[]): Model {
  const found = models.find((model) => model.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const names = models.map((model) => model.name);
  const meant = nearest(name, names);
  const have = `have ${names.join(', ')}`;
  throw new ConfigError(
    `--model=${name}: no such model; ${meant ? `did you mean ${meant}? (${have})` : have}`,
  );
}

/** Names of the models that have an option called `name`. */
export function modelsWith(name: string, models: readonly ModelOptions[]): readonly string[] {
  return models.filter((model) => Object.hasOwn(model.config, name)).map((model) => model.name);
}
