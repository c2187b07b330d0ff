import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readCommand } from './config/flags.js';
import { atomicWrite } from './files.js';
import { boundFigure } from './report/bound.js';
import { calibrationFigure } from './report/calibration.js';
import { bestMulti, binaryOf, casesOf, type Case, type Group } from './report/cases.js';
import { curveFigures } from './report/curves.js';
import { openDrawing, type Drawing } from './report/draw.js';
import { countText } from './report/numbers.js';
import { reportHelp, reportOptions, splitFolders } from './report/options.js';
import { pageOf, type Chapter } from './report/page.js';
import { openPainter } from './report/png.js';
import { readRuns } from './report/runs.js';
import { sensitivityFigures } from './report/sensitivity.js';
import { palette, plotStyle } from './report/style.js';
import { judgementOf, phrasesOf } from './report/verdict.js';

/**
 * The command `report`: makes an HTML page, and SVG and PNG files, of finished runs, and says what they come to. Throws
 * ConfigError, DataError, and the system's error where it cannot write.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const { folders, flags } = splitFolders(argv);
  const request = await readCommand(flags, reportHelp, reportOptions);
  if ('help' in request) return void console.log(request.help);
  const { plots } = request.values;
  const found = await readRuns(folders);
  const output = request.values.output ?? join(folders[0], 'report.html');
  const drawing = await openDrawing();
  const chapters = casesOf(found.runs).map((one, i) => chapterOf(drawing, one, i));
  await mkdir(dirname(output), { recursive: true });
  await atomicWrite(output, pageOf(chapters, found));
  const folder = plots ?? `${output.replace(/\.html?$/i, '')}-plots`;
  const count = await writePlots(folder, chapters);
  for (const chapter of chapters) console.log(verdictLines(chapter).join('\n'));
  if (found.unfinished.length > 0) {
    console.log(`left out, as they are not finished: ${countText(found.unfinished.length, 'run')}`);
  }
  console.log(`${output}: ${countText(found.runs.length, 'run')}; ${folder}: ${countText(count, 'plot')}`);
}

function chapterOf(drawing: Drawing, one: Case, i: number): Chapter {
  const groups = shownGroups(one);
  const figures = [
    ...curveFigures(drawing, groups),
    calibrationFigure(drawing, groups),
    ...sensitivityFigures(drawing, one),
    boundFigure(drawing, one),
  ];
  const name = one.title.replace(/[^\w.=]+/g, '-').toLowerCase();
  return { id: `${i + 1}-${name}`.slice(0, 80), one, judgement: judgementOf(one), figures };
}

/** Binary and the best with classes, which the claim is about; else as many as there are colours. */
function shownGroups(one: Case): readonly Group[] {
  const [binary, multi] = [binaryOf(one), bestMulti(one)];
  return binary && multi ? [binary, multi] : one.groups.slice(0, palette.length);
}

/** Writes each plot as two files that stand by themselves. */
async function writePlots(folder: string, chapters: readonly Chapter[]): Promise<number> {
  await mkdir(folder, { recursive: true });
  const paint = await openPainter();
  let count = 0;
  for (const { id, figures } of chapters) {
    for (const figure of figures) {
      if (!('svg' in figure)) continue;
      const svg = figure.svg.replace('<title>', `<style>${plotStyle}</style><title>`);
      const path = join(folder, `${id}-${figure.id}`);
      await atomicWrite(`${path}.svg`, `${svg}\n`);
      await atomicWrite(`${path}.png`, paint(figure.svg));
      count++;
    }
  }
  return count;
}

function verdictLines({ one, judgement }: Chapter): readonly string[] {
  if ('reason' in judgement) return [`${one.title}: ${judgement.reason}`];
  const head = `${one.title}: scaled supervision (${judgement.multi})`;
  return [head, ...phrasesOf(judgement).map(({ text }) => `  ${text}`)];
}
