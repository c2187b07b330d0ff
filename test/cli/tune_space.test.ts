import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawsOf, openSearch } from '../../cli/tune/search.js';
import { gridOf, latentOf, readSpace, sample, type Dimension } from '../../cli/tune/space.js';
import { normalBelow, suggestTpe } from '../../cli/tune/tpe.js';

const folder = mkdtempSync(join(tmpdir(), 'tune-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'hyper.test');

/** The dimensions of a params file. */
function spaceOf(...lines: readonly string[]): readonly Dimension[] {
  writeFileSync(file, `${lines.join('\n')}\n`);
  return readSpace(file);
}

/** Numbers of many draws of one dimension. */
function drawn(line: string, count = 4000): number[] {
  const [dimension] = spaceOf(`x ${line}`);
  const draw = drawsOf(7, 1);
  return Array.from({ length: count }, () => Number(sample(dimension, draw)));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const near = (value: number, wanted: number, tolerance: number) =>
  assert.ok(Math.abs(value - wanted) <= tolerance, `${value}, want ${wanted} ± ${tolerance}`);
const within = (values: readonly number[], low: number, high: number) =>
  assert.ok(
    values.every((value) => value >= low && value <= high),
    `${Math.min(...values)} … ${Math.max(...values)}`,
  );

const reading = suite('readSpace');

reading("takes RecBole's example with its blank lines, and comments", () => {
  const space = spaceOf(
    'learning_rate loguniform -8,0',
    '',
    '# widths',
    'embedding_size choice [64,96 ,128]',
    "mlp_hidden_size choice ['[64,64,64]','[128,128]']",
  );
  assert.equal(
    space.map(({ name, kind, text }) => [name, kind, text]),
    [
      ['learning_rate', 'numeric', 'learning_rate loguniform -8,0'],
      ['embedding_size', 'choice', 'embedding_size choice [64,96,128]'],
      ['mlp_hidden_size', 'choice', "mlp_hidden_size choice ['[64,64,64]','[128,128]']"],
    ],
  );
  assert.equal(gridOf(space[1]), [64, 96, 128]);
  assert.equal(gridOf(space[2]), ['[64,64,64]', '[128,128]']);
});

const bad: readonly (readonly [line: string, message: RegExp])[] = [
  ['learning_rate', /hyper\.test:2: "learning_rate" is not "name kind value"/],
  ['lr uniform 0', /hyper\.test:2: lr: uniform 0: not the numbers low,high; give /],
  ['lr uniform 0,', /not the numbers low,high/],
  ['lr quniform 0,1', /quniform 0,1: not the numbers low,high,step/],
  ['lr uniform 1,1', /uniform 1,1: low is 1, high 1; put low below high/],
  ['lr qnormal 0,1,0', /the step is 0; give one above 0/],
  ['lr normal 0,-1', /the deviation is -1; give one above 0/],
  ['lr randint 5,2', /randint 5,2 wants whole numbers, low below high/],
  ['lr randint 1.5', /randint 1\.5 wants whole numbers/],
  ['lr choice [1, 2', /choice \[1, 2: "\[" is not closed; add "]" \(character 1\); give a list/],
  ['lr choice 3', /choice 3 is no list of values/],
  ['lr choice []', /is no list of values/],
  ['lr gaussian 0,1', /hyper\.test:2: lr: no kind is called gaussian; give choice/],
  ['a uniform 1,2', /hyper\.test:2: a: is there twice; keep one of the lines/],
];

reading('names file and line of what is wrong', () => {
  for (const [line, message] of bad) assert.throws(() => spaceOf('a uniform 0,1', line), message);
  assert.throws(() => spaceOf('# nothing', ''), /hyper\.test: nothing to search; write lines/);
  assert.throws(() => readSpace(join(folder, 'none')), /none: no such file; check the path in --params_file/);
});

const sampling = suite('sample');

sampling('uniform and quniform are flat between their ends', () => {
  const plain = drawn('uniform 2,6');
  within(plain, 2, 6);
  near(mean(plain), 4, 0.1);
  const steps = drawn('quniform 0,0.5,0.1');
  assert.equal([...new Set(steps)].sort(), [0, 0.1, 0.2, 0.3, 0.4, 0.5]);
  near(steps.filter((value) => value === 0.2).length / 4000, 0.2, 0.03);
  near(steps.filter((value) => value === 0.5).length / 4000, 0.1, 0.03);
});

sampling('loguniform and qloguniform are e to what is flat', () => {
  const values = drawn('loguniform -8,0');
  within(values, Math.exp(-8), 1);
  near(mean(values.map(Math.log)), -4, 0.2);
  const steps = drawn('qloguniform 0,4,2');
  assert.ok(steps.every((value) => value % 2 === 0));
  within(steps, 0, Math.exp(4) + 1);
});

sampling('normal, lognormal and the like have their mean and deviation', () => {
  for (const [line, undo] of [
    ['normal 3,2', (x: number) => x],
    ['lognormal 3,2', Math.log],
  ] as const) {
    const values = drawn(line).map(undo);
    near(mean(values), 3, 0.1);
    near(Math.sqrt(mean(values.map((value) => (value - 3) ** 2))), 2, 0.1);
  }
  assert.ok(drawn('qnormal 0,3,5').every((value) => Math.abs(value % 5) === 0));
  assert.ok(drawn('qlognormal 0,1,5').every((value) => value >= 0 && value % 5 === 0));
});

sampling('choice and randint take each value as often', () => {
  for (const [line, low, high] of [
    ['randint 3', 0, 2],
    ['randint 4,8', 4, 7],
    ['choice [1, 2, 3, 4]', 1, 4],
  ] as const) {
    const values = drawn(line);
    const count = high - low + 1;
    for (let one = low; one <= high; one++) {
      near(values.filter((value) => value === one).length / 4000, 1 / count, 0.03);
    }
    within(values, low, high);
  }
});

const grid = suite('gridOf');

grid('lists every value, and refuses what has no end', () => {
  const of = (line: string) => gridOf(spaceOf(`x ${line}`)[0]);
  assert.equal(of('randint 2,5'), [2, 3, 4]);
  assert.equal(of('quniform 0,0.3,0.1'), [0, 0.1, 0.2, 0.3]);
  assert.equal(of('qloguniform 0,2,2'), [2, 4, 6, 8]);
  for (const line of ['uniform 0,1', 'loguniform -8,0', 'qnormal 0,1,1']) {
    assert.throws(() => of(line), /hyper\.test:1: x: has no end of values.*--algo=random or bayes/);
  }
});

const search = suite('openSearch');
const small = ['a randint 3', 'b choice [True, [1, 2]]'];
const options = { seed: 1, startup: 5 };

/** What a search tries when every trial comes out as `loss` says, one trial after another. */
function tried(
  space: readonly Dimension[],
  {
    count,
    loss = () => 0,
    ...how
  }: Parameters<typeof openSearch>[1] & {
    readonly count: number;
    readonly loss?: (params: Readonly<Record<string, unknown>>) => number;
  },
) {
  const opened = openSearch(space, how);
  const trials: { params: NonNullable<ReturnType<typeof opened.suggest>>; loss: number }[] = [];
  while (trials.length < count) {
    const params = opened.suggest(trials);
    if (params === null) break;
    trials.push({ params, loss: loss(params) });
  }
  return trials;
}

search('tries everything once, whatever the way, where there is an end', () => {
  for (const algo of ['exhaustive', 'random', 'bayes'] as const) {
    const trials = tried(spaceOf(...small), { ...options, algo, count: 100 });
    assert.is(new Set(trials.map(({ params }) => JSON.stringify(params))).size, 6, algo);
    assert.is(trials.length, 6, algo);
    assert.is(openSearch(spaceOf(...small), { ...options, algo }).size, 6);
  }
});

search('is the same for a seed, in the middle too, and another for another', () => {
  const space = spaceOf('x uniform 0,1', 'y choice [1, 2]');
  const loss = ({ x }: Readonly<Record<string, unknown>>) => (Number(x) - 0.3) ** 2;
  for (const algo of ['random', 'bayes'] as const) {
    const one = tried(space, { ...options, algo, count: 12, loss });
    assert.equal(one, tried(space, { ...options, algo, count: 12, loss }));
    assert.equal(openSearch(space, { ...options, algo }).suggest(one.slice(0, 9)), one[9].params);
    assert.not.equal(one, tried(space, { ...options, seed: 2, algo, count: 12, loss }));
  }
});

search('refuses to try more combinations than anyone can', () => {
  const space = spaceOf('a randint 100000', 'b randint 100000');
  assert.throws(
    () => openSearch(space, { ...options, algo: 'exhaustive' }),
    /--algo=exhaustive: 10,000,000,000 combinations, at most 1,000,000 can be tried/,
  );
});

const tpe = suite('suggestTpe');

tpe('comes closer to the best than chance does', () => {
  const space = spaceOf(
    'lr loguniform -8,0',
    'width choice [16, 32, 64, 128]',
    'drop uniform 0,0.9',
    'k randint 9',
  );
  const loss = (params: Readonly<Record<string, unknown>>) =>
    (Math.log(Number(params.lr)) + 5) ** 2 / 4 +
    (params.width === 64 ? 0 : 1) +
    (8 * (Number(params.drop) - 0.2)) ** 2 +
    Math.abs(Number(params.k) - 6);
  const least = (algo: 'random' | 'bayes', seed: number) =>
    Math.min(...tried(space, { algo, seed, startup: 10, count: 50, loss }).map((trial) => trial.loss));
  const seeds = Array.from({ length: 12 }, (_, seed) => seed);
  const ratio =
    mean(seeds.map((seed) => least('bayes', seed))) / mean(seeds.map((seed) => least('random', seed)));
  assert.ok(ratio < 0.6, `${ratio}`);
});

tpe('keeps to the ends of a dimension, and away from trials that failed', () => {
  const space = spaceOf('x uniform 0,1');
  const trials = Array.from({ length: 40 }, (_, i) => ({
    params: { x: i / 40 },
    loss: i < 20 ? Infinity : 1 - i / 40,
  }));
  const values = Array.from({ length: 50 }, (_, i) => Number(suggestTpe(space, trials, drawsOf(3, i)).x));
  within(values, 0, 1);
  assert.ok(mean(values) > 0.75, `${mean(values)}`);
});

tpe('counts a value of a choice by what it is', () => {
  const space = spaceOf("w choice ['[64]', [1, 2], [1, 3]]");
  const trials = Array.from({ length: 30 }, (_, i) => ({
    params: { w: i % 3 === 0 ? [1, 3] : i % 3 === 1 ? [1, 2] : '[64]' },
    loss: i % 3 === 0 ? 0 : 1,
  }));
  const values = Array.from({ length: 20 }, (_, i) => suggestTpe(space, trials, drawsOf(3, i)).w);
  assert.ok(values.every((value) => JSON.stringify(value) === '[1,3]'));
});

tpe('knows the normal distribution, and the scale of a dimension', () => {
  for (const [x, share] of [
    [0, 0.5],
    [1, 0.8413447],
    [-1.959964, 0.025],
    [-Infinity, 0],
    [Infinity, 1],
  ]) {
    near(normalBelow(x), share, 1e-6);
  }
  const [dimension] = spaceOf('x qloguniform -2,4,2');
  assert.ok(dimension.kind === 'numeric');
  near(latentOf(dimension, 8), Math.log(8), 1e-12);
  assert.is(latentOf(dimension, 0), 0);
});

reading.run();
sampling.run();
grid.run();
search.run();
tpe.run();
