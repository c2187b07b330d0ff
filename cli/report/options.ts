import type { CommandHelp } from '../config/help.js';
import { optional, text, type OptionTable } from '../config/option.js';

/** Help of the command. */
export const reportHelp: CommandHelp = {
  name: 'report',
  summary:
    'Makes one HTML page, and a file of each plot, of the finished runs in folders and below them: results ' +
    'with their significance, learning curves, gap, Lipschitz estimates, reliability and ' +
    'sensitivity. Folders come first.',
  examples: ['node cli/report.js saved', 'node cli/report.js saved/experiments/paper --output=paper.html'],
};

/** Options of the command. */
export const reportOptions = {
  output: optional(text('', 'the page; None: report.html in the first folder')),
  plots: optional(text('', "folder of the plots as SVG and PNG files; None: the page's name and -plots")),
} as const satisfies OptionTable;

/** The folders, which are words by themselves, and the flags. */
export function splitFolders(argv: readonly string[]): {
  readonly folders: readonly string[];
  readonly flags: readonly string[];
} {
  const [folders, flags]: [string[], string[]] = [[], []];
  for (let i = 0; i < argv.length; i++) {
    if (!argv[i].startsWith('-')) folders.push(argv[i]);
    else {
      flags.push(argv[i]);
      const takesNext = /^--(output|plots)$/.test(argv[i]) && i + 1 < argv.length;
      if (takesNext) flags.push(argv[++i]);
    }
  }
  return { folders, flags };
}
