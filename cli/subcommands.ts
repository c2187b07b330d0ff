import { nearest } from './config/nearest.js';
import { ConfigError } from './errors.js';

/** The parts of a command, by the word that its first argument is; each gets the arguments after it. */
export type Subcommands = Readonly<Record<string, (argv: readonly string[]) => Promise<void>>>;

/** Runs the part that the first argument names, or prints `usage`. Throws ConfigError on another word. */
export async function runSubcommand(
  argv: readonly string[],
  commands: Subcommands,
  usage: string,
): Promise<void> {
  const [word, ...rest] = argv;
  if (word === '--help' || word === '-h' || word === 'help') return void console.log(usage);
  if (word !== undefined && Object.hasOwn(commands, word)) return commands[word](rest);
  const names = Object.keys(commands);
  if (word === undefined || word.startsWith('-')) {
    throw new ConfigError(
      `${word ?? 'no command'}: the first word says what to do; give ${names.join(' or ')}`,
    );
  }
  const meant = nearest(word, names);
  throw new ConfigError(
    `${word}: no such command; ${meant ? `did you mean ${meant}?` : `have ${names.join(', ')}`}`,
  );
}
