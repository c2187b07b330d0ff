import { plainText } from './literal.js';
import type { OptionTable } from './option.js';

/** Options that stand together in the help text. */
export interface Section {
  readonly title: string;
  readonly options: OptionTable;
}

/** What the help text of a command says beside its options. */
export interface CommandHelp {
  /** File name without ending: cli/<name>.js. */
  readonly name: string;
  /** The word after it, for a command that is one of several. */
  readonly subcommand?: string;
  readonly summary: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
}

const helpWidth = 110;

/** The help text of a command, made from the very tables that read its options. */
export async function helpText(help: CommandHelp, sections: readonly Section[]): Promise<string> {
  // A tenth of a second that only --help has to spend.
  const { default: yargs } = await import('yargs');
  const script = `node cli/${help.name}.js`;
  const command = yargs([]).help(false).version(false).exitProcess(false).locale('en').scriptName(script);
  const typed = help.subcommand === undefined ? script : `${script} ${help.subcommand}`;
  command.usage(`${help.summary}\n\n${typed} [--name=value …]`);
  for (const { title, options } of sections) {
    for (const [name, option] of Object.entries(options)) {
      const describe = `${option.meaning} (${option.kind})`;
      const empty = option.mayBeEmpty ? 'none' : 'required';
      const defaultDescription = option.default === '' ? empty : plainText(option.default);
      command.option(name, { group: `${title}:`, describe, defaultDescription });
    }
  }
  for (const example of help.examples) command.example(example, '');
  return command.wrap(Math.min(process.stdout.columns ?? helpWidth, helpWidth)).getHelp();
}
