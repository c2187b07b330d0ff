import type { MeanStd } from '../experiment/statistics.js';

/** What stands where a number is not known. */
export const unknown = '–';

/** A number with four digits that count, as a metric has. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return unknown;
  const size = Math.abs(value);
  return minus(size >= 100 ? value.toFixed(1) : size >= 10 ? value.toFixed(2) : value.toFixed(4));
}

/** With its sign. */
export const signedText = (value: number): string => (value > 0 ? '+' : '') + numberText(value);

/** 0.7712 ± 0.0010; the mean alone of one value. */
export function spreadText({ mean, std }: Pick<MeanStd, 'mean' | 'std'>): string {
  return Number.isFinite(std) ? `${numberText(mean)} ± ${numberText(std)}` : numberText(mean);
}

/** A chance: three digits, or that it is below them. */
export function chanceText(p: number): string {
  if (Number.isNaN(p)) return unknown;
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** As it stands in a sentence: p = 0.012. */
export const chancePhrase = (p: number): string => `p ${p < 0.001 ? '' : '= '}${chanceText(p)}`;

/** A count of things: 1 seed, 3 seeds. */
export const countText = (count: number, thing: string): string =>
  `${count} ${thing}${count === 1 ? '' : 's'}`;

const minus = (text: string) => text.replace('-', '−');
