import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boundTable, type BoundRow } from '../../cli/paper/bound_table.js';
import { node, tinyFolder } from '../support/train.js';

const script = resolve('cli/paper.js');
const folder = await tinyFolder();
const argv = ['--model=FM', '--dataset=tiny', '--embedding_size=4', '--train_batch_size=400', '--epochs=1'];
const bound = (...more: readonly string[]) => node(folder, [script, 'bound', ...argv, ...more]);
const command = suite('paper bound');

command('trains the label and every number of classes, and goes on where it was', async () => {
  const first = await bound();
  assert.equal([first.code, first.err], [0, ''], first.err);
  assert.match(
    first.out,
    /^binary: training\nclasses-2: training\n.*classes-5: training\nclasses +AUC +LogLoss /s,
  );
  assert.match(
    first.out,
    /\n +label +0\.\d{4} .*\n +2 .* yes +100\.0% +1\.000 +1\.000\n +3 .*\n +4 .*\n +5 /,
  );
  const home = join(folder, 'saved', 'bound', 'FM-tiny');
  const { rows } = JSON.parse(readFileSync(join(home, 'bound.json'), 'utf8')) as { rows: BoundRow[] };
  assert.equal(
    rows.map(({ classes }) => classes),
    [1, 2, 3, 4, 5],
  );
  for (const { classes, score, logits, probabilities, within } of rows) {
    assert.ok(score.max > 0 && logits > 0 && probabilities > 0);
    // The slope of a softmax is at most ½, of a sigmoid ¼.
    assert.ok(probabilities <= (logits / (classes === 1 ? 4 : 2)) * (1 + 1e-6), `${classes} classes`);
    if (classes <= 4) assert.is(within, 1);
  }
  // With one logit the probability of the label is all there is.
  assert.ok(Math.abs(rows[0].score.max - rows[0].probabilities) < 1e-5);
  assert.is(readFileSync(join(home, 'bound.txt'), 'utf8'), `${boundTable(rows)}\n`);
  const before = readdirSync(join(home, 'classes-3'));
  const again = await bound();
  assert.is(again.out, first.out);
  assert.equal(readdirSync(join(home, 'classes-3')), before);
});

command('refuses other options in the same folder, and what it sets itself', async () => {
  const refused = async (message: RegExp, ...more: readonly string[]) => {
    const { code, err } = await bound(...more);
    assert.is(code, 1);
    assert.match(err, message);
  };
  await refused(/FM-tiny: holds runs of .*; give the same options, or another --name\n$/, '--seed=3');
  await refused(/--multi_cls=5: not an option of bound; give --classes\n$/, '--multi_cls=5');
  await refused(
    /classes-6: .*6 classes were asked for, but .* 5 distinct ratings/,
    '--classes=[6]',
    '--name=six',
  );
  await refused(/--lerner=sgd: no such option; did you mean learner\?/, '--lerner=sgd');
});

command.run();
