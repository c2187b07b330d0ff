import type { CommandHelp } from '../config/help.js';
import { float, int, list, optional, text, type OptionTable, type OptionValues } from '../config/option.js';
import { mostLogits } from '../train/slopes.js';

/** Help of `paper bound`. */
export const boundHelp: CommandHelp = {
  name: 'paper',
  subcommand: 'bound',
  summary:
    "node cli/paper.js bound: trains the label alone and 2 … N classes of merged ratings, and prints the paper's bound " +
    'L_p(N) ≤ L_f / √N beside what is measured on rows of the valid part: L_f is the largest ‖∂z/∂e‖₂ of the logits z, ' +
    'L_p the largest ‖∂p/∂e‖₂ of p = softmax(z), e the embedded input. All other options are those of cli/train.js.',
  examples: [
    'node cli/paper.js bound --model=FM --dataset=ml-100k',
    'node cli/paper.js bound --model=NFM --dataset=ml-1m "--classes=[2, 3, 5]" --epochs=20',
  ],
};

/** Its own options. */
export const boundOptions = {
  classes: optional(
    list(
      [2, 3, 5],
      int(2, '', { min: 2, max: mostLogits }),
      'numbers of classes; None: 2 … all distinct ratings',
    ),
  ),
  multi_ratio: float(0.5, 'share of the rating loss in the runs with classes', { min: 0, max: 1 }),
  bound_dir: text('saved/bound', 'folder of the runs'),
  name: optional(text('', 'folder in it; None: <model>-<dataset>')),
} as const satisfies OptionTable;

export type BoundOptions = OptionValues<typeof boundOptions>;

/** Options of training that `bound` sets itself, and what to give in their place. */
export const refusedFlags: Readonly<Record<string, string>> = {
  multi_cls: 'give --classes',
  rating_bins: 'give --classes',
  rating_edges: 'give --classes',
  lipschitz: 'it always measures',
  checkpoint_dir: 'give --bound_dir',
  saved: 'models are kept to be measured',
  resume: 'the same command goes on by itself',
};
