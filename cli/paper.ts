import { bound } from './paper/bound.js';
import { commands } from './paper/commands.js';
import { table } from './paper/table.js';
import { runSubcommand } from './subcommands.js';

const usage = `Repeats the paper's experiments.

node cli/paper.js commands [--name=value …]   lists the paper's command lines by model and data set
node cli/paper.js table [--name=value …]      trains the paper's matrix of runs and prints its table
node cli/paper.js bound [--name=value …]      trains 2 … N classes: the paper's bound beside what is measured

node cli/paper.js <command> --help            lists a command's options`;

/** The command `paper`: the first argument says what to do. Throws ConfigError on another word. */
export function main(argv: readonly string[]): Promise<void> {
  return runSubcommand(argv, { commands, table, bound }, usage);
}
