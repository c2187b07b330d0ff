import type { MeanStd } from '../experiment/statistics.js';

/** What stands where a number is not known. */
export const unknown = '–';

/** Digits after the point: four, as a metric has, and fewer the larger the number is. */
const decimalsOf = (value: number) => (Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 4);

/** A number as people read it, by default with the digits that suit its size. */
export function numberText(value: number, decimals = decimalsOf(value)): string {
  return Number.isFinite(value) ? value.toFixed(decimals).replace('-', '−') : unknown;
}

/** With its sign. */
export const signedText = (value: number): string => (value > 0 ? '+' : '') + numberText(value);

/** 0.7712 ± 0.0010; the mean alone of one value. */
export function spreadText({ mean, std }: Pick<MeanStd, 'mean' | 'std'>): string {
  return Number.isFinite(std)
    ? `${numberText(mean)} ± ${numberText(std, decimalsOf(mean))}`
    : numberText(mean);
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
