import type { CommandHelp } from '../config/help.js';
import { deviceOptions } from '../config/options.js';
import {
  bool,
  choice,
  int,
  list,
  optional,
  special,
  text,
  type Option,
  type OptionTable,
} from '../config/option.js';
import { ConfigError } from '../errors.js';
import { parseMetric, rankingMetrics } from '../metrics.js';
import type { RankingMode } from '../ranking.js';

/** Help of the command. */
export const rankEvalHelp: CommandHelp = {
  name: 'rank-eval',
  summary:
    'Ranks the positives of the test part against sampled or all other items with a trained model, by the ' +
    "protocol of the paper; all other settings are the checkpoint's.",
  examples: [
    'node cli/rank-eval.js --checkpoint=saved/<run>/best.ckpt',
    'node cli/rank-eval.js --checkpoint=saved/<run>/best.ckpt --mode=full "--topk=[5, 10]" "--metrics=[Hit, MRR]"',
  ],
};

/** A ranking metric in its own spelling, with its cut-off if it has one. */
function metricName(word: string, where: string): string {
  const parsed = parseMetric(word);
  if (parsed.kind === 'ranking') return parsed.k === undefined ? parsed.name : `${parsed.name}@${parsed.k}`;
  throw new ConfigError(
    `${where}: ${parsed.name} judges labelled rows, as training does; give one of ` +
      Object.keys(rankingMetrics).join(', '),
  );
}

/** A list of metrics; names need no quotes, since a flag's text says nothing else. */
const metricNames: Option<readonly string[]> = {
  ...special<readonly string[]>(
    ['NDCG', 'Recall'],
    'list',
    `${Object.keys(rankingMetrics).join(', ')}; also at one cut-off: NDCG@5`,
    (value, where) => {
      const words = String(value)
        .replace(/[[\]'"]/g, '')
        .split(',');
      const names = words.map((word) => word.trim()).filter((word) => word !== '');
      if (names.length === 0) throw new ConfigError(`${where}: empty; give some such as [NDCG, Recall]`);
      return names.map((name) => metricName(name, where));
    },
  ),
  verbatim: true,
};

/** Options of both commands that work with a checkpoint. */
export const trainedOptions = {
  checkpoint: text('', 'the trained model: best.ckpt of a run'),
  weights: optional(text('', 'weights in place of its own: a .safetensors file or another checkpoint')),
  data_path: optional(text('', "folder of the data sets; None: the checkpoint's")),
  adapter: optional(text('', "device: auto, gpu, cpu, software or part of a name; None: the checkpoint's")),
  threads: deviceOptions.threads,
  check: deviceOptions.check,
  quiet: bool(false, 'print only the result'),
} as const satisfies OptionTable;

/** Options of the command. */
export const rankEvalOptions = {
  ...trainedOptions,
  mode: choice<RankingMode>(
    'uni100',
    ['uni100', 'full'],
    'what positives are ranked against, 100 uniform draws for each or every item',
  ),
  phase: choice<'test' | 'valid'>('test', ['test', 'valid'], 'the part whose positives are ranked'),
  metrics: metricNames,
  topk: optional(list([10, 20], int(10, '', { min: 1 }), "lengths of the lists; None: the checkpoint's")),
  seed: optional(
    int(2020, "seed of the draws; None: the checkpoint's, which decides the split in any case", {
      min: 0,
      max: 2 ** 32 - 1,
    }),
  ),
} as const satisfies OptionTable;
