import { headTitle, type Head } from './cell.js';
import type { MeanStd } from './statistics.js';
import type { Comparison, Group, Summary } from './summary.js';

// RecBole's metrics have four.
const decimals = 4;

/** The summary for people: what each setting came to on test, and whether classes beat labels. */
export function summaryText(summary: Summary): string {
  const { groups, notes, unfinished } = summary;
  const datasets = [...new Set(groups.map(({ dataset }) => dataset))];
  const parts = [
    ...datasets.map((dataset) => datasetText(summary, dataset)),
    notes.join('\n'),
    unfinishedText(unfinished),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function datasetText({ groups, comparisons }: Summary, dataset: string): string {
  const members = groups.filter((group) => group.dataset === dataset);
  const compared = comparisons.filter((one) => one.dataset === dataset);
  const parts = [`${dataset}: test, mean ± standard deviation over seeds`, resultsTable(members, compared)];
  if (compared.length === 0) return parts.join('\n');
  const [{ chosen_by }] = compared;
  return [
    ...parts,
    `* the ratio that is best by ${chosen_by} on valid`,
    '',
    `${dataset}: test, classes (*) minus binary, paired by seed; t-test two-sided`,
    comparisonTable(compared),
  ].join('\n');
}

function resultsTable(groups: readonly Group[], compared: readonly Comparison[]): string {
  const metrics = [...new Set(groups.flatMap(({ test }) => Object.keys(test)))];
  const rows = groups.map(({ model, head, seeds, test }) => [
    model,
    headTitle(head),
    ratioText(
      head,
      compared.some((one) => one.model === model && sameHead(one.head, head)),
    ),
    ...metrics.map((metric) => (test[metric] === undefined ? '' : spreadText(test[metric]))),
    String(seeds.length),
  ]);
  return columns([['model', 'learns', 'ratio', ...metrics, 'seeds'], ...rows], 2);
}

const sameHead = (a: Head, b: Head) => headTitle(a) === headTitle(b) && a.multi_ratio === b.multi_ratio;

const ratioText = ({ multi_ratio }: Head, best: boolean) =>
  multi_ratio === null ? '' : `${multi_ratio}${best ? ' *' : '  '}`;

function comparisonTable(compared: readonly Comparison[]): string {
  const rows = compared.map(({ model, head, best_ratio, metric, difference, t, p, n }) => [
    model,
    headTitle(head),
    String(best_ratio),
    metric,
    `${difference > 0 ? '+' : ''}${difference.toFixed(decimals)}`,
    Number.isNaN(t) ? '' : t.toFixed(2),
    pText(p),
    String(n),
  ]);
  return columns([['model', 'learns', 'ratio', 'metric', 'difference', 't', 'p', 'pairs'], ...rows], 2);
}

/** One value has no spread. */
function spreadText({ mean, std }: MeanStd): string {
  return Number.isNaN(std) ? mean.toFixed(decimals) : `${mean.toFixed(decimals)} ± ${std.toFixed(decimals)}`;
}

function pText(p: number): string {
  if (Number.isNaN(p)) return '';
  return p < 0.0001 ? '<0.0001' : p.toFixed(4);
}

const mostNamed = 5;

function unfinishedText(names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  const [are, cells] = names.length === 1 ? ['is', 'cell'] : ['are', 'cells'];
  return `${names.length} ${cells} ${are} not finished: ${names.slice(0, mostNamed).join(', ')}${more}`;
}

/** Lines up columns; the first `left` ones to the left. */
function columns(rows: readonly (readonly string[])[], left: number): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const pad = (cell: string, i: number) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
