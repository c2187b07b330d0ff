import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cellArguments, type Plan } from '../../cli/experiment/cell.js';
import { paperCommands, trainArguments } from '../../cli/paper/lines.js';
import { readSummary } from '../support/experiment.js';
import { paperFolder } from '../support/paper.js';
import { node } from '../support/train.js';

const folder = await paperFolder();
const run = (...argv: readonly string[]) => node(folder, [resolve('cli/paper.js'), 'table', ...argv]);
const planOf = (name: string): Plan =>
  JSON.parse(readFileSync(join(folder, 'saved', 'experiments', name, 'plan.json'), 'utf8')) as Plan;

const table = suite('paper table');

table("has every command of the paper among its cells, with the paper's options", async () => {
  const { code, out, err } = await run('--emit=parallel', '--name=all');
  assert.is(code, 0, err);
  assert.match(out, /jobs\.txt: 510 cells\n/);
  const key = (argv: readonly string[]) =>
    argv
      .filter((flag) => !/^--(save_dataset|dataset_save_path)=/.test(flag))
      .sort()
      .join(' ');
  const planned = new Set(planOf('all').cells.map((cell) => key(cellArguments(cell))));
  assert.is(planned.size, 510);
  const missing = paperCommands
    .map((command) => key(trainArguments(command)))
    .filter((one) => !planned.has(one));
  assert.equal(missing, []);
});

table('is cut down and changed by options, and says where hyper-parameters come from', async () => {
  const argv = [
    '--dataset=ml-1m',
    '--models=WideDeep,FM',
    '--seeds=2',
    '--ratios=0.5',
    '--epochs=1',
    '--adapter=cpu',
  ];
  const { code, out, err } = await run(...argv, '--mlp_hidden_size=[8]', '--jobs=2');
  assert.is(code, 0, err);
  const name = 'paper-ml-1m-WideDeep+FM';
  assert.match(out, /^saved\/experiments\/paper-ml-1m-WideDeep\+FM: 8 cells, 2 at once\n/);
  const { cells, comparisons } = readSummary(folder, name);
  assert.equal([cells.length, comparisons.length], [8, 4]);
  assert.equal(cells[0].options, {
    learning_rate: '5e-3',
    dropout_prob: '0.2',
    mlp_hidden_size: '[8]',
    epochs: '1',
    adapter: 'cpu',
  });
  assert.ok(
    out.includes(
      "WideDeep on ml-1m: hyper-parameters are the paper's for ml-1m, changed by options: " +
        'learning_rate=5e-3, dropout_prob=0.2, mlp_hidden_size=[8], epochs=1\n' +
        'FM on ml-1m: hyper-parameters are defaults, as the paper does not train it: epochs=1\n',
    ),
    out,
  );
});

table("takes ml-1m's hyper-parameters for a data set that the paper does not use", async () => {
  assert.is((await run('--dataset=ml-100k', '--emit=slurm')).code, 0);
  const { cells, notes } = planOf('paper-ml-100k');
  assert.equal([...new Set(cells.map(({ model }) => model))].length, 7);
  assert.match(
    notes[0],
    /^AutoInt on ml-100k: hyper-parameters are the paper's for ml-1m: learning_rate=1e-3, /,
  );
});

table('refuses what it does not know, and shows its options', async () => {
  const wrong = await run('--dataset=ml-1m', '--sedes=2');
  assert.equal([wrong.code, wrong.out], [1, '']);
  assert.match(wrong.err, /^paper: --sedes=2: no such option; /);
  assert.match((await run('--help')).out, /--ratios/);
});

table.run();
