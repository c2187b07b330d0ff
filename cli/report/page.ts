import { binaryOf, bestMulti, measuresOf, significance, spread, type Case } from './cases.js';
import { escaped } from './draw.js';
import type { Figure, Missing, Table } from './figure.js';
import { chanceText, countText, signedText, spreadText } from './numbers.js';
import type { Found } from './runs.js';
import { pageStyle } from './style.js';
import { phrasesOf, summaryOf, type Judgement } from './verdict.js';

/** All that is shown of a case. */
export interface Chapter {
  /** Fit for a link and a file name. */
  readonly id: string;
  readonly one: Case;
  readonly judgement: Judgement;
  readonly figures: readonly (Figure | Missing)[];
}

/** Everything in one HTML page that loads nothing. */
export function pageOf(chapters: readonly Chapter[], found: Found): string {
  const title = 'Scaled supervision: report of the runs';
  const judgements = chapters.map(({ judgement }) => judgement);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>
${pageStyle}
</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="soft">${countText(found.runs.length, 'finished run')}, ${countText(chapters.length, 'setting')}.</p>
</header>
<main>
<section id="verdict" class="verdict">
${overall(chapters, judgements)}
</section>
${reading(judgements)}
${contents(chapters)}
${chapters.map(chapterText).join('\n')}
</main>
${footer(chapters, found)}
</body>
</html>
`;
}

function overall(chapters: readonly Chapter[], judgements: readonly Judgement[]): string {
  if (chapters.length === 1) return verdictText(chapters[0]);
  const lines = summaryOf(judgements);
  if (lines.length === 0) return '<p>No setting has both binary and multi-class runs to compare.</p>';
  const items = lines.map((line) => `<li>${escaped(line)}</li>`).join('');
  return `<p>Scaled supervision, against binary labels,</p><ul>${items}</ul>`;
}

function reading(judgements: readonly Judgement[]): string {
  const tests = judgements.reduce((sum, one) => sum + ('reason' in one ? 0 : one.comparisons.length), 0);
  if (tests === 0) return '';
  const chance = (tests * significance).toFixed(1);
  return `<p class="soft">Numbers are means ± one standard deviation over seeds. The head with classes is
the one that is best on the valid part. p is of a two-sided paired t-test over the seeds that both heads have;
below ${significance} a difference is called significant. Of ${countText(tests, 'test')} on this page about
${chance} would come out so by chance alone.</p>`;
}

function contents(chapters: readonly Chapter[]): string {
  if (chapters.length === 1) return '';
  const items = chapters.map(({ id, one }) => `<li><a href="#${id}">${escaped(one.title)}</a></li>`);
  return `<nav aria-label="Settings"><ul>${items.join('')}</ul></nav>`;
}

function verdictText({ one, judgement }: Chapter): string {
  if ('reason' in judgement) return `<p>${escaped(`${one.title}: ${judgement.reason}`)}.</p>`;
  const phrases = phrasesOf(judgement).map(({ text, verdict }) => {
    const mark = verdict === 'better' || verdict === 'worse' ? ` class="${verdict}"` : '';
    return `<li><span${mark}>${escaped(text)}</span></li>`;
  });
  const head = `${one.title}: scaled supervision (${judgement.multi}) against binary labels`;
  return `<p>${escaped(head)}</p><ul>${phrases.join('')}</ul>`;
}

function chapterText(chapter: Chapter, _i: number, all: readonly Chapter[]): string {
  const { id, one, judgement, figures } = chapter;
  const drawn = figures.filter((figure): figure is Figure => 'svg' in figure);
  const missing = figures.filter((figure): figure is Missing => 'reason' in figure);
  const left = missing.map(({ title, reason }) => `<li>${escaped(`${title}: ${reason}`)}</li>`);
  return `<section id="${id}">
<h2>${escaped(one.title)}</h2>
${all.length > 1 ? `<div class="verdict">${verdictText(chapter)}</div>` : ''}
<h3>Results</h3>
<div class="scroll">${tableText(resultsOf(one), 'wide')}</div>
<p class="soft">* best on the valid part. Gap and Lipschitz estimates are those of the best epoch.</p>
${'reason' in judgement ? '' : comparisonText(judgement)}
${drawn.map((figure) => figureText(figure, id)).join('\n')}
${left.length > 0 ? `<p class="soft">Not shown:</p><ul class="soft">${left.join('')}</ul>` : ''}
</section>`;
}

/** Every head with every measure. */
function resultsOf(one: Case): Table {
  const measures = measuresOf(one);
  const best = bestMulti(one);
  const rows = one.groups.map((group) => [
    group.head.label + (group === best && binaryOf(one) ? ' *' : ''),
    String(group.runs.length),
    ...measures.map((measure) => spreadText(spread(group, measure))),
  ]);
  return { columns: ['head', 'seeds', ...measures.map(({ name }) => name)], rows };
}

function comparisonText({ multi, comparisons }: Exclude<Judgement, { reason: string }>): string {
  const rows = comparisons.map(({ measure, binary, multi: ours, difference, n, p, verdict }) => [
    measure.name,
    ...[spreadText(binary), spreadText(ours), signedText(difference), String(n), chanceText(p), verdict],
  ]);
  const columns = ['', 'binary', multi, 'difference', 'pairs', 'p', 'verdict'];
  return `<h3>Binary against ${escaped(multi)}, seed by seed</h3>
<div class="scroll">${tableText({ columns, rows }, 'wide')}</div>`;
}

function figureText({ id, title, note, svg, table }: Figure, chapter: string): string {
  return `<figure id="${chapter}-${id}">
<header><h3>${escaped(title)}</h3><p class="soft">${escaped(note)}</p></header>
<div class="scroll">${svg}</div>
<div class="scroll">${tableText(table)}</div>
</figure>`;
}

function tableText({ columns, rows }: Table, kind = ''): string {
  const head = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const mark = (text: string) => (text === 'better' || text === 'worse' ? ` class="${text}"` : '');
  const cells = (row: readonly string[]) =>
    row.map((text) => `<td${mark(text)}>${escaped(text)}</td>`).join('');
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n');
  const open = kind === '' ? '<table>' : `<table class="${kind}">`;
  return `${open}<thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

function footer(chapters: readonly Chapter[], { runs, unfinished }: Found): string {
  const repeated = chapters.flatMap(({ one }) => one.repeated.map(({ folder }) => folder));
  const list = (title: string, folders: readonly string[]) => {
    const items = folders.map((one) => `<li>${escaped(one)}</li>`).join('');
    const summary = `<summary>${title} (${folders.length})</summary>`;
    return folders.length === 0 ? '' : `<details>${summary}<ul>${items}</ul></details>`;
  };
  const adapters = [...new Set(runs.map(({ result }) => result.adapter))].join('; ');
  return `<footer class="soft">
<h2>Runs</h2>
<p>Trained on ${escaped(adapters)}.</p>
${list(
  'Runs that are shown',
  runs.map(({ folder }) => folder).filter((one) => !repeated.includes(one)),
)}
${list('Left out, as a later run has the same settings and seed', repeated)}
${list('Left out, as they are not finished', unfinished)}
</footer>`;
}
