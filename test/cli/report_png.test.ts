import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { palette, paper } from '../../cli/report/style.js';
import { coloursIn, decodePng } from '../support/png.js';
import { experiment, inventRuns, reportScript, temporaryFolder } from '../support/report.js';
import { node } from '../support/train.js';

const folder = temporaryFolder('pictures');
const pictures = suite('pictures of a report');

/** Names of the plots of one kind. */
const namesIn = (plots: string, kind: 'svg' | 'png') =>
  readdirSync(plots).filter((name) => name.endsWith(`.${kind}`));

pictures('are one of each plot, twice as large, with its lines and its words', async () => {
  inventRuns(join(folder, 'saved'), experiment);
  const { code, err } = await node(folder, [reportScript, 'saved']);
  assert.is(code, 0, err);
  const plots = join(folder, 'saved', 'report-plots');
  const at = (name: string) => join(plots, name);
  const names = namesIn(plots, 'svg');
  assert.ok(names.length >= 10, `${names.length} plots`);
  assert.equal(
    namesIn(plots, 'png'),
    names.map((name) => name.replace('.svg', '.png')),
  );
  for (const name of names) {
    const svg = readFileSync(at(name), 'utf8');
    const [width, height] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).slice(1).map(Number);
    const picture = decodePng(readFileSync(at(name.replace('.svg', '.png'))));
    assert.equal([picture.width, picture.height], [2 * width, 2 * height], name);
    const colours = coloursIn(picture, [0, 0], [picture.width, picture.height]);
    const ground = colours.get(paper.ground) ?? 0;
    assert.ok(ground > 0.5 * picture.width * picture.height, `${name}: light`);
    const lines = palette.filter(([light]) => (colours.get(light) ?? 0) > 100);
    assert.ok(lines.length >= 1 && svg.includes('var(--c'), `${name}: ${lines.length} colours`);
    // The words of the vertical axis, in a font that comes along.
    const [, x, y] = /<text x="(\d+)" y="(\d+)"[^>]*>↑ /.exec(svg) ?? [];
    const word = [2 * Number(x) + 20, 2 * Number(y)];
    const letters = coloursIn(picture, [word[0], word[1] - 8], [word[0] + 60, word[1] + 8]);
    assert.ok((letters.get(paper.text) ?? 0) > 20, `${name}: no words`);
  }
});

pictures.run();
