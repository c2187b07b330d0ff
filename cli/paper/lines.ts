import { paperSeeds, paperSettings, type Head, type PaperRuns, type PaperSetting } from './settings.js';

/** One training run of the paper: its options by name, as typed, dataset and model first. */
export type PaperCommand = Readonly<Record<string, string>> & {
  readonly dataset: string;
  readonly model: string;
  readonly seed: string;
};

/** All runs of the paper, in its order. */
export const paperCommands: readonly PaperCommand[] = paperSettings.flatMap((setting) =>
  setting.runs.flatMap((runs) =>
    runs.seeds.flatMap((seed) => runs.heads.map((head) => paperCommand(setting, runs, seed, head))),
  ),
);

function paperCommand(setting: PaperSetting, runs: PaperRuns, seed: string, head: Head): PaperCommand {
  const { dataset, model, options, saves } = setting;
  return {
    dataset,
    model,
    ...savePath(dataset, runs, seed),
    ...options,
    seed,
    ...(head === 'binary' ? {} : { multi_cls: '5', multi_ratio: head }),
    ...(saves && head === 'binary' ? { save_dataset: 'True' } : {}),
  };
}

/** Amazon Books takes long to read: the single runs share one file of it, repeated ones have one a seed. */
function savePath(dataset: string, { seeds }: PaperRuns, seed: string): Readonly<Record<string, string>> {
  if (dataset !== 'amazon-books') return {};
  const which = seeds === paperSeeds ? `-seed${seed}` : '';
  return { dataset_save_path: `saved/${dataset}-Dataset${which}.pth` };
}

/** The arguments of `node cli/train.js`, as it gets them from a shell. */
export function trainArguments(command: PaperCommand): readonly string[] {
  return Object.entries(command).map(([name, value]) => `--${name}=${value}`);
}

/** A line for a shell, in the folder of the program. */
export function commandLine(command: PaperCommand): string {
  // Within double quotes a shell leaves all that stands in these values alone.
  const quoted = trainArguments(command).map((flag) => (/^[\w.,/=-]+$/.test(flag) ? flag : `"${flag}"`));
  return `node cli/train.js ${quoted.join(' ')}`;
}
