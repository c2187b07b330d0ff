import { stringify } from 'yaml';
import { flagValue } from '../config/option.js';
import { plainText, type ConfigValue } from '../config/literal.js';
import { resultLine } from '../logger.js';
import type { Params } from './space.js';
import type { Trial } from './study.js';

/** The better of two scores first; trials without one last. */
export function ranked(trials: readonly Trial[], bigger: boolean): readonly Trial[] {
  const key = ({ score }: Trial) => (score === null ? Infinity : bigger ? -score : score);
  return [...trials].sort((one, other) => (key(one) === key(other) ? 0 : key(one) - key(other)));
}

/** The best trial that ran to its end, or null. */
export function bestTrial(trials: readonly Trial[], bigger: boolean): Trial | null {
  return (
    ranked(
      trials.filter(({ state }) => state === 'complete'),
      bigger,
    )[0] ?? null
  );
}

/** A value short enough for a table: four digits of numbers that were drawn. */
function shortText(value: ConfigValue): string {
  return typeof value === 'number' && !Number.isInteger(value)
    ? String(Number(value.toPrecision(4)))
    : plainText(value);
}

/** `learning_rate=0.0031 embedding_size=16`. */
export const paramsText = (params: Params): string =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${shortText(value)}`)
    .join(' ');

/** What is said of a trial when it ends. */
export function trialLine(
  { trial, state, score, best_epoch, curve, params, error }: Trial,
  metric: string,
): string {
  const what = `trial ${trial}: ${paramsText(params)}`;
  if (state === 'failed') return `${what}: failed: ${error}`;
  const judged = score === null ? `no ${metric}` : `${metric} ${score.toFixed(4)} in epoch ${best_epoch}`;
  const epochs = (curve.at(-1)?.epoch ?? -1) + 1;
  return `${what}: ${judged}, ${state === 'pruned' ? 'pruned' : 'ended'} after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
}

/** The best trials that ran to their end: metrics of valid, by which they were chosen, and of test, and values. */
export function studyTable(
  trials: readonly Trial[],
  options: { metric: string; bigger: boolean; top: number },
): string {
  const { metric, bigger, top } = options;
  const whole = trials.filter(({ state }) => state === 'complete');
  const shown = ranked(whole, bigger).slice(0, top);
  if (shown.length === 0) return 'no trial ran to its end';
  const tested = Object.keys(shown[0].test ?? {});
  const names = Object.keys(shown[0].params);
  const header = ['trial', `valid ${metric}`, ...tested.map((name) => `test ${name}`), 'epochs', ...names];
  const lines = shown.map(({ trial, score, test, curve, params }) => [
    String(trial),
    score?.toFixed(4) ?? '',
    ...tested.map((name) => Number(test?.[name]).toFixed(4)),
    String((curve.at(-1)?.epoch ?? -1) + 1),
    ...names.map((name) => shortText(params[name])),
  ]);
  const all = [header, ...lines];
  const widths = header.map((_, i) => Math.max(...all.map((line) => line[i].length)));
  return all.map((line) => line.map((cell, i) => cell.padStart(widths[i])).join('  ')).join('\n');
}

/** All results in the form of RecBole's output_file. */
export function resultText(trials: readonly Trial[]): string {
  const metrics = (title: string, values: Trial['valid']) =>
    values === null ? `${title}:\nnone` : resultLine(title, values, 4).replace(': ', ':\n');
  const parts = trials.map(({ params, valid, test }) => {
    const values = Object.entries(params).map(([name, value]) => `${name}:${plainText(value)}`);
    return `${values.join(', ')}\n${metrics('Valid result', valid)}\n${metrics('Test result', test)}\n\n`;
  });
  return parts.join('');
}

/** A configuration file that trains as the best trial did: the options of the study under its values. */
export function bestYaml(best: Trial, options: Params, metric: string): string {
  const literal = (value: ConfigValue) => (typeof value === 'string' ? flagValue(value, 'value') : value);
  const values = Object.entries(best.params).map(([name, value]) => [name, literal(value)] as const);
  const head = `# trial ${best.trial}: valid ${metric} ${best.score?.toFixed(4)} in epoch ${best.best_epoch}\n`;
  return head + stringify({ ...options, ...Object.fromEntries(values) }, { version: '1.1' });
}
