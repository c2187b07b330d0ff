import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { binaryHead, cellArguments, cellName, type Cell, type Head } from '../../cli/experiment/cell.js';
import type { CellState } from '../../cli/cells/state.js';
import { cellsOf } from '../../cli/experiment/matrix.js';
import { completeMatrix } from '../../cli/experiment/request.js';
import { summaryOf } from '../../cli/experiment/summary.js';
import { summaryText } from '../../cli/experiment/text.js';

const cell = (head: Head, seed: number): Cell => ({ model: 'FM', dataset: 'toy', head, seed, options: {} });
const five = (multi_ratio: number): Head => ({ ...binaryHead, multi_cls: 5, multi_ratio });

/** A cell that has come to these values of a metric. */
function finished(metric: string, valid: number, test: number): CellState {
  const result = {
    version: 1 as const,
    ...{ model: 'FM', dataset: 'toy', seed: 0, adapter: '', best_epoch: 0, epochs: 1, seconds: 1 },
    examples_per_second: 1,
    config: { options: { valid_metric: metric } },
    valid: { [metric]: valid },
    test: { [metric]: test },
    calibration: [],
    lipschitz: null,
  };
  return { kind: 'finished', run: 'run', result };
}

const seeds = [2020, 2021, 2022];
const settings: readonly (readonly [Head, readonly number[], readonly number[]])[] = [
  [binaryHead, [0.7, 0.7, 0.7], [0.7, 0.71, 0.72]],
  // The best on valid; 0.9 would be the best on test.
  [five(0.3), [0.75, 0.75, 0.76], [0.71, 0.72, 0.74]],
  [five(0.9), [0.74, 0.75, 0.76], [0.8, 0.8, 0.8]],
];

function summarize(metric: string, missing: readonly string[] = []) {
  const cells = settings.flatMap(([head]) => seeds.map((seed) => cell(head, seed)));
  const states = settings.flatMap(([, valid, test]) =>
    seeds.map((_, i) => finished(metric, valid[i], test[i])),
  );
  const fresh: CellState = { kind: 'fresh' };
  return summaryOf(
    { name: 'toy', cells, notes: ['a note'] },
    states.map((state, i) => (missing.includes(cellName(cells[i])) ? fresh : state)),
  );
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, expected ${expected}`);

const summary = suite('summaryOf');

summary('takes the ratio that is best on valid, and pairs its test results with binary ones', () => {
  const { groups, comparisons } = summarize('AUC');
  assert.is(groups.length, 3);
  near(groups[0].test.AUC.mean, 0.71);
  near(groups[0].test.AUC.std, 0.01);
  const [{ best_ratio, n, difference, t, p, binary, multi }, ...others] = comparisons;
  assert.equal([best_ratio, n, others.length], [0.3, 3, 0]);
  // Differences 0.01, 0.01, 0.02: t = (0.04 / 3) / (0.0057735 / √3) = 4, and p with 2 degrees of freedom.
  near(difference, 0.04 / 3);
  near(t, 4);
  near(p, 0.0571909584);
  near(multi.mean - binary.mean, difference);
});

summary('takes the lowest where less is better', () => {
  assert.is(summarize('LogLoss').comparisons[0].best_ratio, 0.9);
});

summary('pairs the seeds that both have, and names what is missing', () => {
  const missing = ['toy-FM-binary-2020', 'toy-FM-5classes-0.9-2020'];
  const { comparisons, unfinished, cells } = summarize('AUC', missing);
  assert.equal([unfinished, cells.length], [missing, 7]);
  assert.equal([comparisons[0].best_ratio, comparisons[0].n], [0.9, 2]);
  near(comparisons[0].difference, 0.085);
});

summary('of nothing says only that', () => {
  const { groups, comparisons } = summarize(
    'AUC',
    settings.flatMap(([head]) => seeds.map((seed) => cellName(cell(head, seed)))),
  );
  assert.equal([groups, comparisons], [[], []]);
});

summary.run();

const text = suite('summaryText');

text('is a table with the chosen ratio, differences and notes', () => {
  assert.is(
    summaryText(summarize('AUC')),
    `toy: test, mean ± standard deviation over seeds
model  learns     ratio              AUC  seeds
FM     binary            0.7100 ± 0.0100      3
FM     5 classes  0.3 *  0.7233 ± 0.0153      3
FM     5 classes  0.9    0.8000 ± 0.0000      3
* the ratio that is best by AUC on valid

toy: test, classes (*) minus binary, paired by seed; t-test two-sided
model  learns     ratio  metric  difference     t       p  pairs
FM     5 classes    0.3     AUC     +0.0133  4.00  0.0572      3

a note`,
  );
});

text('leaves out what one seed cannot say', () => {
  const missing = settings.flatMap(([head]) => [2021, 2022].map((seed) => cellName(cell(head, seed))));
  const lines = summaryText(summarize('AUC', missing)).split('\n');
  assert.is(lines[2], 'FM     binary            0.7000      1');
  assert.match(lines[9], /^FM {5}5 classes {4}0\.3 {5}AUC {5}\+0\.0100 +1$/);
  assert.is(lines.at(-1), `6 cells are not finished: ${missing.slice(0, 5).join(', ')} and 1 more`);
});

text.run();

const matrix = suite('cellsOf');

matrix('has whole pairs first, under names and with arguments of their own', () => {
  const asked = completeMatrix({
    models: ['FM'],
    datasets: ['toy'],
    seeds: [1, 2],
    ratios: [0.5],
    rating_bins: [3],
  });
  const cells = cellsOf(asked, () => ({ epochs: '3' }));
  assert.equal(cells.map(cellName), [
    'toy-FM-binary-1',
    'toy-FM-3bins-0.5-1',
    'toy-FM-binary-2',
    'toy-FM-3bins-0.5-2',
  ]);
  const usual = ['--model=FM', '--dataset=toy', '--epochs=3'];
  assert.equal(cellArguments(cells[0]), [...usual, '--seed=1']);
  assert.equal(cellArguments(cells[3]), [...usual, '--seed=2', '--multi_ratio=0.5', '--rating_bins=3']);
});

matrix('is that of the paper where nothing is asked for', () => {
  const cells = cellsOf(completeMatrix({ models: ['FM', 'NFM'], datasets: ['toy'] }), () => ({}));
  assert.is(cells.length, 2 * 5 * (1 + 5));
  assert.is(new Set(cells.map(cellName)).size, cells.length);
});

matrix.run();
