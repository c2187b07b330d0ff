import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Summary } from '../../cli/experiment/summary.js';
import { entries, experimentScript, killedWhen, progressOf, readSummary } from '../support/experiment.js';
import { node, tinyFolder } from '../support/train.js';

const folder = await tinyFolder();
const common = {
  models: 'fm',
  datasets: 'tiny',
  ratios: '0.5',
  seeds: '2',
  embedding_size: '8',
  jobs: '2',
  adapter: 'cpu',
};

/** The flags of a matrix; further ones win. */
function grid(name: string, ...flags: readonly string[]): readonly string[] {
  const given = new Set(flags.map((flag) => flag.split('=')[0]));
  const usual = Object.entries(common).map(([option, value]) => `--${option}=${value}`);
  return ['--grid', `--name=${name}`, ...usual.filter((flag) => !given.has(flag.split('=')[0])), ...flags];
}
const run = (...argv: readonly string[]) => node(folder, [experimentScript, ...argv]);
const cellsOf = (name: string) => join(folder, 'saved', 'experiments', name, 'cells');

/** What does not depend on where and when. */
const outcome = ({ cells, groups, comparisons }: Summary) => ({
  cells: cells.map(({ run: _, ...cell }) => cell),
  groups,
  comparisons,
});

const experiment = suite('experiment');

experiment(
  'killed twice with kill -9 and stopped by Ctrl-C comes to what it comes to undisturbed',
  async () => {
    // Long enough that every cell is met in its middle.
    const long = ['--epochs=40', '--stopping_step=100'];
    const whole = await run(...grid('whole', ...long));
    assert.is(whole.code, 0, whole.err);
    const names = [
      'tiny-FM-binary-2020',
      'tiny-FM-5classes-0.5-2020',
      'tiny-FM-binary-2021',
      'tiny-FM-5classes-0.5-2021',
    ];
    assert.equal([...entries(cellsOf('whole'))].sort(), [...names].sort());
    const argv = grid('killed', ...long);
    const first = await killedWhen(folder, argv, 'SIGKILL', () => progressOf(folder, 'killed').begun >= 1);
    assert.is(first.signal, 'SIGKILL', first.err);
    const second = await killedWhen(folder, argv, 'SIGKILL', () => {
      const { begun, finished } = progressOf(folder, 'killed');
      return finished >= 1 && begun >= 1;
    });
    assert.is(second.signal, 'SIGKILL', second.err);
    const third = await killedWhen(folder, argv, 'SIGINT', () => progressOf(folder, 'killed').finished >= 2);
    assert.is(third.code, 130, third.err);
    assert.match(third.err, /stopped after \d of 4 cells; the same command goes on/);
    const last = await run(...argv);
    assert.is(last.code, 0, last.err);
    assert.match(last.out, /4 cells, [1-3] of them finished, \d at once/);
    assert.equal(outcome(readSummary(folder, 'killed')), outcome(readSummary(folder, 'whole')));
    for (const name of names) {
      assert.is(
        entries(join(cellsOf('killed'), name)).filter((one) => one.startsWith('FM-')).length,
        1,
        name,
      );
    }
    // Nothing is left to do: it only says so again.
    const again = await run(...argv, '--quiet');
    assert.is(again.code, 0, again.err);
    assert.ok(again.out.startsWith('tiny: test, mean ± standard deviation over seeds\n'), again.out);
    assert.is(last.out.includes(again.out.trimEnd()), true);
  },
);

experiment('sums up what it has trained', async () => {
  const { cells, groups, comparisons, unfinished } = readSummary(folder, 'whole');
  assert.equal([cells.length, groups.length, unfinished.length], [4, 2, 0]);
  assert.equal(cells[1].head, { multi_cls: 5, multi_ratio: 0.5, rating_bins: null });
  const result = JSON.parse(readFileSync(join(folder, cells[1].run, 'result.json'), 'utf8'));
  assert.equal([cells[1].valid, cells[1].test], [result.valid, result.test]);
  assert.equal(
    comparisons.map(({ metric, n, best_ratio }) => [metric, n, best_ratio]),
    [
      ['AUC', 2, 0.5],
      ['LogLoss', 2, 0.5],
    ],
  );
  const log = readFileSync(join(folder, cells[3].run, 'run.log'), 'utf8');
  assert.match(log, /tiny-\w+\.dataset: the processed data set of an earlier run/);
  const mean = (cells[1].test!.AUC + cells[3].test!.AUC - cells[0].test!.AUC - cells[2].test!.AUC) / 2;
  assert.ok(Math.abs(comparisons[0].difference - mean) < 1e-12);
});

experiment('refuses another plan under the same name, and extends one', async () => {
  const small = ['--epochs=1', '--heads=binary'];
  assert.is((await run(...grid('plans', ...small, '--seeds=1'))).code, 0);
  const more = await run(...grid('plans', ...small));
  assert.equal([more.code, more.out], [1, '']);
  assert.match(
    more.err,
    /plans: planned otherwise before: tiny-FM-binary-2021 is new \(1 cells then, 2 now\); give --ext/,
  );
  const other = await run(...grid('plans', '--epochs=2', '--heads=binary', '--seeds=1'));
  assert.match(other.err, /tiny-FM-binary-2020 had .*--epochs=1.*, now .*--epochs=2.*; give another --name/);
  const extended = await run(...grid('plans', ...small, '--extend', '--quiet'));
  assert.equal([extended.code, readSummary(folder, 'plans').cells.length], [0, 2], extended.err);
  const fewer = await run(...grid('plans', ...small, '--seeds=1'));
  assert.match(fewer.err, /tiny-FM-binary-2021 was planned then and is not now; give another --name/);
  // By its name it goes on with the plan that is there, whatever changes no result.
  const named = await run('--name=plans', '--jobs=1');
  assert.match(named.out, /plans: 2 cells, 2 of them finished/);
});

experiment(
  'reports a cell that fails with its last line, finishes the others and tries it again',
  async () => {
    const broken = join(cellsOf('failing'), 'tiny-FM-binary-2020', 'FM-tiny-2026');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'last.ckpt'), 'no checkpoint');
    const argv = grid('failing', '--epochs=1', '--heads=binary');
    const failed = await run(...argv);
    assert.is(failed.code, 1);
    assert.match(
      failed.err,
      /tiny-FM-binary-2020: exit code 1: train: .*last\.ckpt.* \(saved.*output\.log\)\n1 cell failed; /,
    );
    assert.match(failed.out, /1 cell is not finished: tiny-FM-binary-2020/);
    assert.is(readSummary(folder, 'failing').cells.length, 1);
    rmSync(broken, { recursive: true });
    const mended = await run(...argv);
    assert.is(mended.code, 0, mended.err);
    assert.is(readSummary(folder, 'failing').cells.length, 2);
  },
);

experiment('takes a plan file, with options for some models, under those of the command line', async () => {
  const path = join(folder, 'planned.yaml');
  writeFileSync(
    path,
    [
      'models: [FM, NFM]',
      'datasets: tiny',
      'heads: multi',
      'rating_bins: [2, 3]',
      'ratios: 0.3',
      'seeds: [7]',
      'epochs: 1',
      'mlp_hidden_size: [8, 4]',
      'per_model:',
      '  fm: {learning_rate: 0.01}',
      'per_dataset: {tiny: {train_batch_size: 300}}',
    ].join('\n'),
  );
  const { code, err } = await run('planned.yaml', '--train_batch_size=200', '--quiet', '--adapter=cpu');
  assert.is(code, 0, err);
  const { cells, name } = readSummary(folder, 'planned');
  assert.is(name, 'planned');
  const [fm, , nfm] = cells.map(({ options }) => options);
  const common = { epochs: '1', adapter: 'cpu' };
  assert.equal(fm, { ...common, learning_rate: '0.01', train_batch_size: '200' });
  assert.equal(nfm, { ...common, mlp_hidden_size: '[8, 4]', train_batch_size: '200' });
  assert.equal(
    cells.map(({ model, head }) => [model, head.rating_bins, head.multi_ratio, head.multi_cls]),
    [
      ['FM', 2, 0.3, null],
      ['FM', 3, 0.3, null],
      ['NFM', 2, 0.3, null],
      ['NFM', 3, 0.3, null],
    ],
  );
});

experiment('says what is wrong before anything runs', async () => {
  writeFileSync(join(folder, 'scope.yaml'), 'models: FM\ndatasets: tiny\nper_model: {FMM: {epochs: 3}}\n');
  for (const [argv, message] of [
    [[], /^experiment: no plan: give a plan\.yaml, --grid /],
    [['nowhere.yaml'], /^experiment: nowhere\.yaml: no such plan; /],
    [['scope.yaml'], /scope\.yaml:3: per_model=.*: FMM is no model of this plan; have FM$/m],
    [['--name=nowhere'], /nowhere: no such experiment; /],
    [['--name=no/where', '--collect'], /--name=no\/where: not fit for a folder; /],
    [['--grid', '--models=FM'], /--datasets: missing; /],
    [['--grid', '--models=FMM', '--datasets=tiny'], /--model=FMM: no such model; did you mean /],
    [grid('wrong', '--epohcs=3'), /--epohcs=3: no such option; did you mean epochs\?/],
    [
      grid('wrong', '--mlp_hidden_size=[8]'),
      /--mlp_hidden_size=\[8\]: an option of .*NFM.*, not of these models/,
    ],
    [grid('wrong', '--ratios=0.5,2'), /--ratios=0\.5,2: item 2: out of range/],
    [grid('wrong', '--seeds=2020,2020'), /--seeds: 2020 is given twice/],
    [grid('wrong', '--heads=both'), /--heads=both: item 1: both is not known; give binary, multi or both/],
    [grid('wrong', '--resume=a.ckpt'), /--resume=a\.ckpt: not for a matrix of runs/],
    [grid('wrong', '--datasets=none'), /--dataset=none: .* is not there; /],
  ] as const) {
    const { code, out, err } = await run(...argv);
    assert.equal([code, out], [1, ''], argv.join(' '));
    assert.match(err, message);
  }
  assert.is(entries(cellsOf('wrong')).length, 0);
});

experiment.run();
