import {
  bestMulti,
  binaryOf,
  compare,
  measuresOf,
  type Case,
  type Comparison,
  type Verdict,
} from './cases.js';
import { chancePhrase, countText, numberText, spreadText } from './numbers.js';

/** What a case says about scaled supervision: its comparisons, or why there are none. */
export type Judgement =
  { readonly multi: string; readonly comparisons: readonly Comparison[] } | { readonly reason: string };

/** Compares the best head with classes to the binary one. */
export function judgementOf(one: Case): Judgement {
  const [binary, multi] = [binaryOf(one), bestMulti(one)];
  if (binary === undefined) return { reason: 'no binary run to compare with; train it without --multi_cls' };
  if (multi === undefined) return { reason: 'no run with classes to compare; train it with --multi_cls' };
  const comparisons = measuresOf(one).map((measure) => compare(binary, multi, measure));
  return { multi: multi.head.label, comparisons };
}

/** A piece of text, marked by what it says. */
export interface Phrase {
  readonly text: string;
  readonly verdict: Verdict;
}

const isTest = ({ measure }: Comparison) => measure.name.startsWith('test ');

/** What is found, in words: of the metrics on the test part, then of gap and Lipschitz estimates. */
export function phrasesOf(judgement: Judgement): readonly Phrase[] {
  if ('reason' in judgement) return [];
  return judgement.comparisons.filter((one) => isTest(one) || isClaim(one)).map(phraseOf);
}

// Of the several measures of one thing.
const isClaim = ({ measure: { name } }: Comparison) =>
  ['gap of AUC', 'gap of LogLoss', 'Lipschitz max'].includes(name);

/** What becomes of a metric, and of gap and Lipschitz estimate, of which less is better. */
const verbs = {
  metric: { better: 'improves', worse: 'worsens' },
  claim: { better: 'lowers', worse: 'raises' },
} as const;

function phraseOf(one: Comparison): Phrase {
  const { measure, binary, multi, difference, n, p, verdict } = one;
  const { name } = measure;
  const numbers = `${spreadText(binary)} → ${spreadText(multi)}`;
  const seeds = countText(n, 'seed');
  if (verdict === 'not judged') {
    return { text: `cannot be judged by ${name}: ${seeds} in common, it takes two (${numbers})`, verdict };
  }
  const chance = `${numbers}, ${seeds}, ${chancePhrase(p)}`;
  if (verdict === 'no significant difference') {
    return { text: `makes no significant difference to ${name} (${chance})`, verdict };
  }
  const verb = verbs[isTest(one) ? 'metric' : 'claim'][verdict];
  return { text: `${verb} ${name} by ${numberText(Math.abs(difference))} (${chance})`, verdict };
}

/** How many of several cases came out how, a line for each metric on the test part. */
export function summaryOf(judgements: readonly Judgement[]): readonly string[] {
  const all = judgements.flatMap((one) => ('reason' in one ? [] : one.comparisons)).filter(isTest);
  return [...new Set(all.map(({ measure }) => measure.name))].map((name) => {
    const same = all.filter(({ measure }) => measure.name === name);
    const count = (verdict: Verdict) => same.filter((one) => one.verdict === verdict).length;
    const [none, open] = [count('no significant difference'), count('not judged')];
    const parts = [
      `improves ${name} in ${count('better')} of ${countText(same.length, 'setting')}`,
      `worsens it in ${count('worse')}`,
      `makes no significant difference in ${none}`,
      ...(open > 0 ? [`cannot be judged in ${open}, for want of seeds`] : []),
    ];
    return parts.join(', ');
  });
}
