import { datasetName } from '../../data/convert/names.js';
import { readCommand } from '../config/flags.js';
import type { CommandHelp } from '../config/help.js';
import { bool, choice, optional, type OptionTable } from '../config/option.js';
import { ConfigError } from '../errors.js';
import { commandLine, paperCommands, type PaperCommand } from './lines.js';

const help: CommandHelp = {
  name: 'paper',
  subcommand: 'commands',
  summary: "node cli/paper.js commands: lists the paper's command lines by model and data set.",
  examples: [
    'node cli/paper.js commands --dataset=ml-1m --model=WideDeep',
    'node cli/paper.js commands --json',
  ],
};

const distinct = (name: string): readonly string[] => [
  ...new Set(paperCommands.map((command) => command[name])),
];

const onDataset = choice('', distinct('dataset'), 'only the runs on one data set');

const table = {
  model: optional(choice('', distinct('model'), 'only the runs of one model')),
  dataset: optional({
    ...onDataset,
    read: (value, where) => onDataset.read(datasetName(String(value)), where),
  }),
  json: bool(false, 'one JSON array of {dataset, model, options, command} instead of lines for a shell'),
} as const satisfies OptionTable;

/** `paper commands`: prints lines that a shell takes as they are. Throws ConfigError. */
export async function commands(argv: readonly string[]): Promise<void> {
  const request = await readCommand(argv, help, table);
  if ('help' in request) return void console.log(request.help);
  const { model, dataset, json } = request.values;
  const chosen = paperCommands.filter(
    (command) =>
      (model ?? command.model) === command.model && (dataset ?? command.dataset) === command.dataset,
  );
  if (chosen.length === 0) {
    throw new ConfigError(`--model=${model}: not run on ${dataset} in the paper; leave one of the two out`);
  }
  console.log(json ? JSON.stringify(chosen.map(record), null, 2) : shellText(chosen));
}

function record(command: PaperCommand): object {
  const { dataset, model, ...options } = command;
  return { dataset, model, options, command: commandLine(command) };
}

/** Lines under a comment for each data set and model. */
function shellText(chosen: readonly PaperCommand[]): string {
  const groups = new Map<string, string[]>();
  for (const command of chosen) {
    const title = `${command.model} on ${command.dataset}`;
    groups.set(title, [...(groups.get(title) ?? []), commandLine(command)]);
  }
  return [...groups]
    .map(([title, lines]) =>
      [`# ${title}: ${lines.length} run${lines.length === 1 ? '' : 's'}`, ...lines].join('\n'),
    )
    .join('\n\n');
}
