import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findChromium, open } from '../support/chromium.js';
import { experiment, inventRuns, reportScript, temporaryFolder } from '../support/report.js';
import { testWhen } from '../support/skip.js';
import { node } from '../support/train.js';

const chromium = findChromium() ?? '';
const folder = temporaryFolder('browser');
const page = join(folder, 'saved', 'report.html');

/** What a script in the page sees of it. */
interface Seen {
  readonly plots: readonly { readonly width: number; readonly height: number; readonly marks: number }[];
  readonly ground: string;
  readonly strokes: readonly string[];
  readonly pageWidth: number;
  readonly loaded: number;
}

// Text, as it runs in the browser alone.
const look = `<script>
const box = (element) => element.getBoundingClientRect();
const plots = [...document.querySelectorAll('svg.plot')].map((plot) => {
  const marks = [...plot.querySelectorAll('path, circle')].filter((mark) => box(mark).width > 0);
  return { width: box(plot).width, height: box(plot).height, marks: marks.length };
});
const strokes = [...document.querySelectorAll('svg [stroke^=var]')].map((one) => getComputedStyle(one).stroke);
document.body.dataset.seen = JSON.stringify({
  plots,
  ground: getComputedStyle(document.body).backgroundColor,
  strokes: [...new Set(strokes)],
  pageWidth: document.documentElement.scrollWidth,
  loaded: performance.getEntriesByType('resource').length,
});
</script></body>`;

/** Opens the page with a script at its end that looks at it. */
async function seen(width: number, theme: 'light' | 'dark') {
  const copy = join(folder, 'looked-at.html');
  writeFileSync(
    copy,
    readFileSync(page, 'utf8').replace('</body>', () => look),
  );
  const shown = await open(chromium, copy, width, theme);
  const text = /data-seen="([^"]*)"/.exec(shown.dom)?.[1].replaceAll('&quot;', '"');
  assert.ok(text, shown.dom.slice(0, 200));
  return { ...(JSON.parse(text) as Seen), console: shown.console };
}

const browser = suite('a report in Chromium');
const inBrowser = (name: string, body: () => Promise<void>) =>
  testWhen(chromium !== '', 'no Chromium in CHROME_PATH, PATH or node_modules', browser, name, body);

browser.before(async () => {
  inventRuns(join(folder, 'saved'), experiment);
  const { code, err } = await node(folder, [reportScript, 'saved']);
  assert.is(code, 0, err);
});

inBrowser('opens without a word on the console', async () => {
  const { dom, console } = await open(chromium, page, 1200, 'light');
  assert.match(dom, /improves test AUC by 0\.0201/);
  assert.equal(console, []);
});

inBrowser('would be caught if it complained', async () => {
  const bad = join(folder, 'bad.html');
  writeFileSync(bad, '<!doctype html><script>console.error("broken"); nowhere();</script>');
  const { console } = await open(chromium, bad, 1200, 'light');
  assert.is(console.length, 2);
});

inBrowser('shows its plots in light and dark, each in its colours', async () => {
  const [light, dark] = [await seen(1200, 'light'), await seen(1200, 'dark')];
  for (const { plots, strokes, loaded, console } of [light, dark]) {
    assert.ok(plots.length >= 10, `${plots.length} plots`);
    for (const { width, height, marks } of plots) {
      assert.ok(width > 500 && height > 250, `${width} × ${height}`);
      assert.ok(marks >= 4, `${marks} marks`);
    }
    assert.ok(strokes.length >= 2 && strokes.every((stroke) => stroke.startsWith('rgb(')), strokes.join());
    assert.is(loaded, 0, 'files that the page loads');
    assert.equal(console, []);
  }
  assert.is(light.ground, 'rgb(255, 255, 255)');
  assert.is(dark.ground, 'rgb(20, 24, 28)');
  assert.not.equal(light.strokes, dark.strokes);
});

inBrowser('fits a narrow window', async () => {
  // Chromium makes no window narrower than 500.
  const { pageWidth, plots } = await seen(500, 'light');
  assert.ok(pageWidth <= 500, `${pageWidth} wide`);
  assert.ok(plots.every(({ width }) => width > 400));
});

browser.run();
