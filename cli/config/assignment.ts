import { readConfigFile } from './files.js';
import { flagLabel, readFlagOf, type Flags } from './flags.js';
import { plainText, type ConfigValue } from './literal.js';
import { flagValue, readFlag, type Option } from './option.js';

/** One option set by one source. */
export interface Assignment {
  readonly name: string;
  /** How a message names it: `--epochs=3`, or `a.yaml:7: epochs=3`. */
  readonly where: string;
  readonly source: 'dataset' | 'file' | 'flag' | 'checkpoint';
  /** The file's path, or `command line`. */
  readonly origin: string;
  /** The value without knowing the option: what a Python literal says. */
  readonly value: ConfigValue;
  /** The value as `option` reads it; throws ConfigError. */
  read<T>(option: Option<T>): T;
}

/** The flags, in the order typed. */
export function fromFlags(flags: Flags): readonly Assignment[] {
  return [...flags].map(([name, typed]) => {
    const where = flagLabel(name, typed);
    return {
      name,
      where,
      source: 'flag',
      origin: 'command line',
      // Only a value that is a literal is of interest here: a text stays one.
      get value() {
        return typed === true ? true : flagValue(typed, where);
      },
      read: (option) => readFlagOf(option, name, typed),
    };
  });
}

/**
 * A value given as such. Texts stand for literals where the option is no text: "{'rating': 4}" in a YAML
 * file.
 */
export function fromValue(
  name: string,
  value: ConfigValue,
  where: string,
  source: Assignment['source'],
  origin: string,
): Assignment {
  const read = <T>(option: Option<T>) =>
    typeof value === 'string' && !option.verbatim
      ? readFlag(option, value, where)
      : option.read(value, where);
  return { name, where, source, origin, value, read };
}

/** The entries of a YAML file, in order. */
export function fromFile(path: string, source: 'dataset' | 'file'): readonly Assignment[] {
  return readConfigFile(path).map(({ name, value, line }) => {
    const label = `${path}:${line}: ${name}=${plainText(value)}`;
    return fromValue(name, value, label, source, path);
  });
}
