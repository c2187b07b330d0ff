import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inventRuns, reportScript, temporaryFolder } from '../support/report.js';
import { node } from '../support/train.js';

const folder = temporaryFolder('bound');
const bound = suite('boundFigure');

bound('sets the bound of each model beside the slopes of its class probabilities', async () => {
  inventRuns(
    join(folder, 'bins'),
    [2, 3, 5].map((rating_bins) => ({ ratio: 0.5, options: { rating_bins } })),
  );
  const { code, err } = await node(folder, [reportScript, 'bins', '--output=bins.html']);
  assert.is(code, 0, err);
  const html = readFileSync(join(folder, 'bins.html'), 'utf8');
  const cells = (row: string) => [...row.matchAll(/<td[^>]*>([^<]*)/g)].map(([, text]) => text);
  const [figure] = /<figure id="[^"]*-bound">[^]*?<\/figure>/.exec(html) ?? [];
  assert.ok(figure);
  // L_f is 6·√N, so that its bound is 6; L_p is 2 + N, which is more only for five classes.
  assert.equal((figure.match(/<tr><td.*<\/tr>/g) ?? []).map(cells), [
    ['2 merged classes, ratio 0.5', '4.0000', '8.4853', '6.0000', '1', '1'],
    ['3 merged classes, ratio 0.5', '5.0000', '10.39', '6.0000', '1', '1'],
    ['5 merged classes, ratio 0.5', '7.0000', '13.42', '6.0000', '0', '1'],
  ]);
  const names = readdirSync(join(folder, 'bins-plots'));
  const svg = readFileSync(
    join(folder, 'bins-plots', names.find((one) => /-bound\.svg$/.test(one)) ?? ''),
    'utf8',
  );
  assert.match(svg, /ratio 0\.5: L_p<.*ratio 0\.5: L_f\/√N</s);
  // Slopes of the label's probability are another thing than those that the bound limits.
  const other = names.find((one) => /classes-lipschitz-max\.svg$/.test(one)) ?? '';
  assert.not.match(readFileSync(join(folder, 'bins-plots', other), 'utf8'), /√/);
});

bound.run();
