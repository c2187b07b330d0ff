import { runSubcommand, type Subcommands } from './subcommands.js';

// Each is loaded when it is called for: readers of archives and logs take their time.
const commands: Subcommands = {
  prepare: async (argv) => (await import('./data/prepare.js')).prepare(argv),
  download: async (argv) => (await import('./data/download.js')).download(argv),
  synth: async (argv) => (await import('./data/synth.js')).synth(argv),
  info: async (argv) => (await import('./data/info.js')).info(argv),
};

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
