import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bestMulti, binaryOf, casesOf, compare, measuresOf } from '../../cli/report/cases.js';
import { headOf } from '../../cli/report/head.js';
import { chancePhrase, numberText, spreadText } from '../../cli/report/numbers.js';
import { splitFolders } from '../../cli/report/options.js';
import { bestEpoch, gapAt, readRuns, type Run } from '../../cli/report/runs.js';
import { calibrationError, curveOf, pooled } from '../../cli/report/series.js';
import { judgementOf, phrasesOf } from '../../cli/report/verdict.js';
import { close } from '../support/close.js';
import {
  experiment,
  inventRuns,
  inventedResult,
  reportScript,
  temporaryFolder,
  type Invented,
} from '../support/report.js';
import { node } from '../support/train.js';

const folder = temporaryFolder('report');

async function runsOf(invented: readonly Invented[]): Promise<readonly Run[]> {
  const own = mkdtempSync(join(folder, 'runs-'));
  inventRuns(own, invented);
  return (await readRuns([own])).runs;
}

const cases = suite('casesOf');

cases('puts heads and seeds of the same settings together, the binary head first', async () => {
  const [one, ...others] = casesOf(await runsOf(experiment));
  assert.is(others.length, 0);
  assert.is(one.title, 'FM on toy');
  assert.equal(
    one.groups.map(({ head, runs }) => [head.label, runs.map(({ result }) => result.seed)]),
    ['binary', '5 classes, ratio 0.2', '5 classes, ratio 0.8'].map((label) => [label, [2020, 2021, 2022]]),
  );
  assert.is(binaryOf(one)?.head.classes, null);
  assert.is(bestMulti(one)?.head.ratio, 0.8, 'the best on valid, not on test');
});

cases('names the options that tell settings apart, and none that change no result', async () => {
  const runs = await runsOf([
    { options: { learning_rate: 0.01, quiet: false } },
    { options: { learning_rate: 0.001 } },
    { model: 'LR' },
  ]);
  assert.equal(
    casesOf(runs).map(({ title }) => title),
    ['FM on toy, learning_rate=0.001', 'FM on toy, learning_rate=0.01', 'LR on toy'],
  );
});

cases('counts a seed once, by its last run', async () => {
  const [one] = casesOf(await runsOf([{ test: 0.6 }, { test: 0.8 }]));
  assert.equal(
    one.groups[0].runs.map(({ result }) => result.test?.AUC),
    [0.8],
  );
  assert.is(one.repeated.length, 1);
});

cases('take classes of merged ratings for a head of its own', () => {
  const merged = inventedResult({ options: { rating_bins: 3 } });
  assert.is(headOf(merged).label, '3 merged classes, ratio 0.5');
});

cases.run();

const comparing = suite('compare');

comparing('pairs seeds, and agrees with a t-test by hand', async () => {
  const values = [
    [0.7, 0.73],
    [0.71, 0.72],
    [0.72, 0.74],
  ];
  const runs = await runsOf([
    ...values.map(([test], i) => ({ seed: i, test })),
    ...values.map(([, test], i) => ({ seed: i, test, classes: 5, ratio: 0.5 })),
    { seed: 9, test: 0.1, classes: 5, ratio: 0.5 },
  ]);
  const [one] = casesOf(runs);
  const auc = measuresOf(one).find(({ name }) => name === 'test AUC');
  const found = compare(one.groups[0], one.groups[1], auc as NonNullable<typeof auc>);
  // Differences 3, 1, 2 hundredths: mean 2, deviation 1, t = 2·√3, two-sided with 2 degrees of freedom.
  const t = 2 * Math.sqrt(3);
  close([found.difference, found.p], [0.02, 1 - t / Math.sqrt(2 + t * t)], 1e-9);
  assert.is(found.n, 3);
  assert.is(found.verdict, 'no significant difference');
});

comparing('calls less LogLoss better', async () => {
  const [one] = casesOf(await runsOf(experiment));
  const judgement = judgementOf(one);
  if ('reason' in judgement) return assert.unreachable(judgement.reason);
  const verdicts = new Map(judgement.comparisons.map(({ measure, verdict }) => [measure.name, verdict]));
  assert.is(verdicts.get('test AUC'), 'better');
  assert.is(verdicts.get('test LogLoss'), 'better');
  const [text] = phrasesOf(judgement).map((phrase) => phrase.text);
  assert.match(
    text,
    /^improves test AUC by 0\.0201 \(0\.7010 ± 0\.0010 → 0\.7211 ± 0\.0011, 3 seeds, p < 0\.001\)$/,
  );
});

comparing('does not judge a single seed, and says what is missing', async () => {
  const [one] = casesOf(await runsOf([{}, { classes: 5, ratio: 0.5, test: 0.9 }]));
  assert.match(phrasesOf(judgementOf(one))[0].text, /cannot be judged by test AUC: 1 seed in common/);
  const [alone] = casesOf(await runsOf([{ classes: 5, ratio: 0.5 }]));
  assert.match((judgementOf(alone) as { reason: string }).reason, /no binary run/);
});

comparing.run();

const series = suite('series');

series('average epochs that all seeds reached', async () => {
  const [one] = casesOf(await runsOf([{ seed: 2020, epochs: 2 }, { seed: 2021 }]));
  const { mean, runs } = curveOf(one.groups[0], ({ lipschitz }) => lipschitz?.mean ?? NaN);
  assert.equal(
    mean.map(({ epoch }) => epoch),
    [0, 1],
  );
  close([mean[1].mean, mean[1].std], [1.505, 0.01 / Math.SQRT2], 1e-9);
  assert.is(runs.length, 5);
});

series('take gaps so that more is worse', async () => {
  const [run] = await runsOf([{}]);
  const best = bestEpoch(run) as NonNullable<ReturnType<typeof bestEpoch>>;
  assert.is(best.epoch, 1);
  close([gapAt(best, 'AUC'), gapAt(best, 'LogLoss')], [0.02, 0.1], 1e-9);
});

series('pool bins over all rows', () => {
  const bins = pooled([
    [{ rows: 1, predicted: 0.11, observed: 1 }],
    [
      { rows: 3, predicted: 0.15, observed: 0 },
      { rows: 4, predicted: 1, observed: 0.5 },
    ],
  ]);
  assert.equal(
    bins.map(({ rows }) => rows),
    [4, 4],
  );
  close([bins[0].predicted, bins[0].observed], [0.14, 0.25], 1e-12);
  close([calibrationError(bins)], [0.5 * 0.11 + 0.5 * 0.5], 1e-12);
  assert.ok(Number.isNaN(calibrationError([])));
});

series('print numbers for people', () => {
  assert.is(spreadText({ mean: 0.77123, std: 0.00104 }), '0.7712 ± 0.0010');
  assert.is(spreadText({ mean: -12.3456, std: NaN }), '−12.35');
  assert.is(spreadText({ mean: 10.566, std: 1.45632 }), '10.57 ± 1.46');
  assert.is(numberText(NaN), '–');
  assert.is(chancePhrase(0.0001), 'p < 0.001');
});

series.run();

const command = suite('report');

const report = (...argv: readonly string[]) => node(folder, [reportScript, ...argv]);

// What HTML ends by itself.
const empty = new Set(['meta', 'link', 'br', '!doctype']);

/** Fails unless every element ends where it must. */
function balanced(html: string): void {
  const open: string[] = [];
  for (const [, end, name, , closed] of html.matchAll(/<(\/?)([!\w]+)((?:\s[^<>]*?)?)(\/?)>/g)) {
    if (closed === '/' || empty.has(name.toLowerCase())) continue;
    if (end === '') open.push(name);
    else assert.is(open.pop(), name);
  }
  assert.equal(open, []);
}

command('makes a page that loads nothing, and plots that stand by themselves', async () => {
  inventRuns(join(folder, 'saved'), experiment);
  const { code, out, err } = await report('saved', '--output=pages/all.html');
  assert.is(code, 0, err);
  assert.match(
    out,
    /^FM on toy: scaled supervision \(5 classes, ratio 0\.8\)\n {2}improves test AUC by 0\.0201/,
  );
  const html = readFileSync(join(folder, 'pages', 'all.html'), 'utf8');
  balanced(html);
  assert.not.match(html.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|@import|url\(|\ssrc=|<script/);
  assert.not.match(html, /NaN|undefined|<invented>/);
  const titles = ['AUC on train and valid', 'Generalisation gap of AUC', 'Lipschitz estimate', 'Reliability'];
  for (const title of titles) assert.ok(html.includes(`<h3>${title}</h3>`), title);
  assert.ok(html.includes('5 classes, ratio 0.8 *'));
  const plots = readdirSync(join(folder, 'pages', 'all-plots')).filter((name) => name.endsWith('.svg'));
  assert.is(plots.length, html.match(/<svg /g)?.length);
  for (const name of plots) {
    const svg = readFileSync(join(folder, 'pages', 'all-plots', name), 'utf8');
    balanced(svg);
    assert.match(svg, /^<svg xmlns=.*<style>.*--c0:.*<title>/s);
    assert.not.match(svg, /NaN|undefined/);
  }
});

command('leaves out what was not measured, and says so', async () => {
  const few = inventRuns(join(folder, 'few'), [{ measured: false }]);
  const { code, out, err } = await report(...few, '--output', 'few.html');
  assert.is(code, 0, err);
  assert.match(out, /no run with classes to compare; train it with --multi_cls/);
  const html = readFileSync(join(folder, 'few.html'), 'utf8');
  balanced(html);
  assert.match(html, /Lipschitz estimate: no run measured it; train with --lipschitz/);
  assert.match(html, /paper(?:'|&#39;)s bound: it takes several numbers of classes; train with --lipschitz/);
  assert.match(html, /Sensitivity to the ratio: there is one ratio at most/);
  assert.not.match(html, /<h3>Lipschitz|NaN/);
});

command('goes without metrics.jsonl and without a test part', async () => {
  const [run] = inventRuns(join(folder, 'bare'), [{}]);
  rmSync(join(run, 'metrics.jsonl'));
  const result = { ...inventedResult(), test: null, valid: null, calibration: [] };
  writeFileSync(join(run, 'result.json'), JSON.stringify(result));
  const { code, err } = await report('bare');
  assert.is(code, 0, err);
  assert.match(
    readFileSync(join(folder, 'bare', 'report.html'), 'utf8'),
    /Reliability: no run has a test part/,
  );
});

command('names what is wrong', async () => {
  const fails = async (argv: readonly string[], pattern: RegExp) => {
    const { code, err } = await report(...argv, '--output=never.html');
    assert.is(code, 1);
    assert.match(err, pattern);
    assert.is(err.trim().split('\n').length, 1);
    assert.not(existsSync(join(folder, 'never.html')));
  };
  await fails([], /no folder: give those of runs/);
  await fails(['nowhere'], /nowhere: no such folder/);
  await fails(['saved', '--outputs=x'], /--outputs=x: no such option; did you mean output/);
  mkdirSync(join(folder, 'half', 'run'), { recursive: true });
  await fails(['half'], /half: no finished run.*train one/);
  writeFileSync(join(folder, 'half', 'run', 'last.ckpt'), '');
  await fails(['half'], /half: no finished run.*--resume=half\/run\/last\.ckpt/);
  const [run] = inventRuns(join(folder, 'bad'), [{}]);
  appendFileSync(join(run, 'metrics.jsonl'), '{"event":\n');
  await fails(['bad'], /run-00\/metrics\.jsonl:5: .*is no event/);
  writeFileSync(join(run, 'result.json'), '{');
  await fails(['bad'], /run-00\/result\.json: damaged/);
});

command('takes folders before and after flags', () => {
  const argv = ['a', '--output', 'x.html', 'b', '--plots=p', 'c'];
  assert.equal(splitFolders(argv), {
    folders: ['a', 'b', 'c'],
    flags: ['--output', 'x.html', '--plots=p'],
  });
});

command('shows help', async () => {
  const { code, out } = await report('--help');
  assert.is(code, 0);
  assert.match(out, /node cli\/report\.js[\s\S]*--output/);
});

command.run();
