import type { CommandHelp } from '../config/help.js';
import { bool, int, optional, text, type OptionTable, type OptionValues } from '../config/option.js';
import { ConfigError } from '../errors.js';
import { trainedOptions } from '../rank_eval/options.js';

/** Help of the command. */
export const predictHelp: CommandHelp = {
  name: 'predict',
  summary:
    'Scores user–item rows with a trained model, or recommends items: TSV in the atomic format, in the order of ' +
    'the input. Ids that the model has not seen are scored as [PAD] and counted on stderr.',
  examples: [
    'node cli/predict.js --checkpoint=saved/<run>/best.ckpt --input=pairs.inter --output=scores.tsv',
    'cat pairs.inter | node cli/predict.js --checkpoint=saved/<run>/best.ckpt --input=- | head',
    'node cli/predict.js --checkpoint=saved/<run>/best.ckpt --topk=10 --users=196,186 --output=-',
    'node cli/predict.js --checkpoint=saved/<run>/best.ckpt --topk=10 --users=@users.txt --output=top.tsv',
  ],
};

/** Options of the command. */
export const predictOptions = {
  ...trainedOptions,
  input: optional(text('', 'rows to score: an atomic file with user and item columns, - for stdin')),
  output: text('-', 'file of the result, - for stdout'),
  topk: optional(int(10, 'recommend that many items to each of --users instead', { min: 1 })),
  users: optional(text('', 'whom to recommend to: tokens as u1,u2, a file of them as @file, or all')),
  keep_seen: bool(false, 'recommend also what a user has in the training part'),
} as const satisfies OptionTable;

type Values = OptionValues<typeof predictOptions>;

/** What a command line asks for: scores of rows, or the best items of users. */
export type PredictRequest = Pick<
  Values,
  'checkpoint' | 'weights' | 'data_path' | 'adapter' | 'threads' | 'check' | 'quiet' | 'output'
> &
  (
    | { readonly kind: 'score'; readonly input: string }
    | {
        readonly kind: 'recommend';
        readonly topk: number;
        readonly users: string;
        readonly keepSeen: boolean;
      }
  );

/** Throws ConfigError if options do not go together. */
export function predictRequest({ input, topk, users, keep_seen, ...common }: Values): PredictRequest {
  if (topk === null) {
    if (users !== null)
      throw new ConfigError(`--users=${users}: has no meaning without --topk; give --topk=10`);
    if (keep_seen) throw new ConfigError('--keep_seen: has no meaning without --topk; leave it out');
    if (input === null) {
      throw new ConfigError(
        '--input: missing; give an atomic file of rows to score or - for stdin, or --topk and --users to recommend',
      );
    }
    return { kind: 'score', input, ...common };
  }
  if (input !== null) throw new ConfigError(`--input=${input}: has no meaning with --topk; give one of them`);
  if (users === null) {
    throw new ConfigError(`--topk=${topk}: needs --users; give tokens as u1,u2, a file as @file, or all`);
  }
  return { kind: 'recommend', topk, users, keepSeen: keep_seen, ...common };
}
