import { info } from './data/info.js';
import { synth } from './data/synth.js';
import { nearest } from './config/nearest.js';
import { ConfigError } from './errors.js';

const commands: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = { synth, info };

const usage = `Makes and describes data sets.

node cli/data.js synth [--name=value …]   writes a synthetic data set of any size
node cli/data.js info  [--name=value …]   prints what a data set is once filtered, and its fields

node cli/data.js <command> --help         lists a command's options`;

/** The command `data`: the first argument says what to do. Throws ConfigError on another word. */
export async function main(argv: readonly string[]): Promise<void> {
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
