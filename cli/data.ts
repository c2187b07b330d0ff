import { download } from './data/download.js';
import { info } from './data/info.js';
import { prepare } from './data/prepare.js';
import { synth } from './data/synth.js';
import { runSubcommand } from './subcommands.js';

const commands = { prepare, download, synth, info };

const usage = `Brings, makes and describes data sets.

node cli/data.js prepare  [--name=value …]   writes a data set from archives, originals or a log that you have
node cli/data.js download [--name=value …]   fetches a published data set, or says how to by hand
node cli/data.js synth    [--name=value …]   writes a synthetic data set of any size
node cli/data.js info     [--name=value …]   prints what a data set is once filtered, and its fields

node cli/data.js <command> --help            lists a command's options`;

/** The command `data`: the first argument says what to do. Throws ConfigError on another word. */
export async function main(argv: readonly string[]): Promise<void> {
  return runSubcommand(argv, commands, usage);
}
