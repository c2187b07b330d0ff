import { ConfigError } from '../errors.js';
import { helpText, type CommandHelp } from './help.js';
import { plainText, type ConfigValue } from './literal.js';
import { nearest } from './nearest.js';
import { readFlag, type Option, type OptionTable, type OptionValues } from './option.js';

/** A flag as typed: its text, or true for a bare `--name`. */
export type Flags = ReadonlyMap<string, string | true>;

function add(flags: Map<string, string | true>, name: string, value: string | true): void {
  const before = flags.get(name);
  if (before !== undefined && before !== value) {
    throw new ConfigError(`--${name}: given twice, as ${before} and ${value}; give it once`);
  }
  flags.set(name, value);
}

/**
 * Splits a command line into flags: `--name=value`, `--name value`, a bare `--name`, and `-h` for `--help`. A
 * value is kept to the letter, which a general parser would not do: here quotes, dots and digits belong to a
 * Python literal. Throws ConfigError on anything that is no flag and on a flag with two values.
 */
export function parseFlags(argv: readonly string[]): Flags {
  const flags = new Map<string, string | true>();
  for (let i = 0; i < argv.length; i++) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(argv[i]) ?? [];
    if (argv[i] === '-h') add(flags, 'help', true);
    else if (name === undefined)
      throw new ConfigError(`${argv[i]}: not an option; write options as --name=value`);
    else if (value !== undefined) add(flags, name, value);
    else if (i + 1 < argv.length && !/^(--|-h$)/.test(argv[i + 1])) add(flags, name, argv[++i]);
    else add(flags, name, true);
  }
  return flags;
}

/** How messages name a flag: as it was typed. */
export function flagLabel(name: string, value: string | true): string {
  return value === true ? `--${name}` : `--${name}=${value}`;
}

/** The value of a flag; a bare `--name` is True and fits only options that are True or False. */
export function readFlagOf<T>(option: Option<T>, name: string, value: string | true): T {
  if (value !== true) return readFlag(option, value, flagLabel(name, value));
  if (option.kind === 'bool') return option.read(true, `--${name}`);
  // Defaults of options are what YAML and literals can say, so they can be printed as such.
  const example = option.default ? plainText(option.default as ConfigValue) : option.kind.toUpperCase();
  throw new ConfigError(`--${name}: has no value; write --${name}=${example}`);
}

/** The error for a name that no table has. */
export function unknownOption(where: string, name: string, names: Iterable<string>): ConfigError {
  const meant = nearest(name, names);
  return new ConfigError(
    `${where}: no such option; ${meant ? `did you mean ${meant}?` : '--help lists them all'}`,
  );
}

/**
 * Reads the flags of a command that has one flat table of options. A text option whose default is '' must be
 * given. Returns the help text if it was asked for.
 */
export async function readCommand<Table extends OptionTable>(
  argv: readonly string[],
  help: CommandHelp,
  table: Table,
): Promise<{ readonly help: string } | { readonly values: OptionValues<Table> }> {
  const flags = parseFlags(argv);
  if (flags.has('help')) return { help: await helpText(help, [{ title: 'Options', options: table }]) };
  for (const [name, value] of flags) {
    if (!Object.hasOwn(table, name)) throw unknownOption(flagLabel(name, value), name, Object.keys(table));
  }
  const values = Object.entries(table).map(([name, option]) => {
    const value = flags.get(name);
    if (value === undefined && option.default === '') {
      throw new ConfigError(`--${name}: missing; ${option.meaning}; --help lists all options`);
    }
    return [name, value === undefined ? option.default : readFlagOf(option, name, value)] as const;
  });
  // Each value was read by the option of its name, which is what OptionValues says.
  return { values: Object.freeze(Object.fromEntries(values)) as OptionValues<Table> };
}
