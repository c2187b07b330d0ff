import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpoint } from '../../cli/checkpoint.js';
import { distributionOf, lipschitzLine, sampleRows } from '../../cli/train/lipschitz.js';
import { node, outcome, runs, sameBits, tinyFolder, trainChild, trainScript } from '../support/train.js';

const common = ['--dataset=tiny', '--embedding_size=8', '--train_batch_size=160', '--log_interval=1'];
const nfm = ['--model=NFM', '--mlp_hidden_size=[8]', '--dropout_prob=0.3', '--multi_cls=5', ...common];

const events = (run: string) =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'epoch');

const train = async (folder: string, ...argv: readonly string[]) => {
  const ended = await node(folder, [trainScript, ...argv]);
  assert.equal([ended.code, ended.err], [0, ''], ended.err);
  return ended.out;
};

const meter = suite('--lipschitz');

meter('changes no bit of training, and writes what it measures of every epoch', async () => {
  const folder = await tinyFolder();
  const argv = [...nfm, '--epochs=2', '--label_smoothing=0.1', '--gradient_penalty=0.01'];
  await train(folder, ...argv);
  const out = await train(folder, ...argv, '--lipschitz=True', '--lipschitz_rows=100');
  const [without, measured] = runs(folder).sort();
  const [one, other] = await Promise.all([outcome(without), outcome(measured)]);
  sameBits(one.best, other.best);
  sameBits(one.last, other.last);
  assert.is(
    out.match(/^epoch \d lipschitz \[time: .*‖∂p\/∂e‖ mean: .*, p99: .*, max: .*\].*gap: AUC .*$/gm)?.length,
    2,
  );
  const records = events(measured);
  assert.is(records.length, 2);
  for (const { lipschitz, norms, train, valid, gap } of records) {
    assert.equal(Object.keys(lipschitz), ['rows', 'mean', 'p50', 'p90', 'p99', 'max']);
    assert.is(lipschitz.rows, 100);
    const { mean, p50, p90, p99, max } = lipschitz;
    assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= max && mean <= max);
    for (const part of [norms.embedding, norms.other]) assert.ok(part.weight > 0 && part.gradient > 0);
    assert.equal(Object.keys(train), ['AUC', 'LogLoss']);
    assert.ok(Math.abs(gap.AUC - (train.AUC - valid.AUC)) < 1e-9);
    assert.ok(Math.abs(gap.LogLoss - (valid.LogLoss - train.LogLoss)) < 1e-9);
  }
  assert.equal(Object.keys(events(without)[0]).includes('lipschitz'), false);
});

meter('says the same after kill -9, and can be switched on when going on', async () => {
  const folder = await tinyFolder();
  const argv = [...nfm, '--epochs=2'];
  await train(folder, ...argv, '--lipschitz=True');
  const killed = await node(folder, [
    trainChild,
    JSON.stringify({ signal: 'SIGKILL', epoch: 1, done: 3 }),
    ...argv,
  ]);
  assert.is(killed.signal, 'SIGKILL', killed.err);
  const [whole, resumed] = runs(folder).sort();
  await train(folder, `--resume=${join(resumed, 'last.ckpt')}`, '--lipschitz=True');
  const [{ lipschitz, norms, train: part }] = events(resumed).slice(-1);
  const [expected] = events(whole).slice(-1);
  assert.equal(
    { lipschitz, norms, part },
    {
      lipschitz: expected.lipschitz,
      norms: expected.norms,
      part: expected.train,
    },
  );
});

meter('needs rows to validate on', async () => {
  const folder = await tinyFolder();
  const all =
    "--eval_args={'split': {'RS': [1, 0, 0]}, 'order': 'RO', 'group_by': 'none', 'mode': 'labeled'}";
  const { code, err } = await node(folder, [trainScript, ...nfm, '--epochs=1', '--lipschitz=True', all]);
  assert.is(code, 1);
  assert.match(err, /lipschitz: the split leaves no rows to validate on; give some by --eval_args\n$/);
});

meter.run();

const bins = suite('--rating_bins');

bins('merges ratings into classes, is kept with the model and goes on from there', async () => {
  const folder = await tinyFolder();
  const argv = ['--model=FM', '--rating_bins=3', '--multi_ratio=0.5', ...common];
  const out = await train(folder, ...argv, '--epochs=2');
  const [, , from2, from3] =
    /rating_bins=3: classes 1 from lowest \((\d+) rows\), 2 from (\S+) .*, 3 from (\S+) \(/.exec(
      out,
    ) as string[];
  const [run] = runs(folder);
  const path = join(run, 'last.ckpt');
  const { config } = await readCheckpoint(path);
  const { options } = config as { options: Record<string, unknown> };
  assert.equal(
    [options.rating_bins, options.multi_cls, options.rating_edges],
    [3, 3, [from2, from3].map(Number)],
  );
  await train(folder, `--resume=${path}`, '--epochs=3');
  const ranked = await node(folder, [
    trainScript.replace('train.js', 'rank-eval.js'),
    `--checkpoint=${path}`,
  ]);
  assert.is(ranked.code, 0, ranked.err);
});

bins('of all ratings is multi_cls, bit for bit', async () => {
  const folder = await tinyFolder();
  const argv = ['--model=WideDeep', '--mlp_hidden_size=[8]', '--multi_ratio=0.4', '--epochs=1', ...common];
  await train(folder, ...argv, '--rating_bins=5');
  await train(folder, ...argv, '--multi_cls=5');
  const [one, other] = await Promise.all(runs(folder).map(outcome));
  for (const [name, { data }] of one.best.tensors)
    assert.equal(data, other.best.tensors.get(name)?.data, name);
});

bins('refuses more classes than ratings, and other classes beside it', async () => {
  const folder = await tinyFolder();
  const refused = async (message: RegExp, ...argv: readonly string[]) => {
    const { code, err } = await node(folder, [trainScript, '--model=FM', ...common, '--epochs=1', ...argv]);
    assert.is(code, 1);
    assert.match(err, message);
  };
  await refused(
    /rating_bins: 9 classes were asked for, but the training rows have 5 distinct/,
    '--rating_bins=9',
  );
  await refused(
    /^train: --multi_cls=5: ratings are merged into 3 classes by rating_bins; give 3, or leave it out\n$/,
    '--rating_bins=3',
    '--multi_cls=5',
  );
  await refused(
    /^train: --rating_edges=\[3, 2\]: not in ascending order/,
    '--rating_bins=3',
    '--rating_edges=[3, 2]',
  );
  await refused(
    /^train: --rating_edges=\[3\]: makes 2 classes, but rating_bins is None; give --rating_bins=2/,
    '--rating_edges=[3]',
  );
});

bins.run();

const sample = suite('sampleRows');

sample('draws the same rows for a seed, each once, and all if there are no more', () => {
  const rows = Uint32Array.from({ length: 500 }, (_, i) => 3 * i);
  const drawn = sampleRows(rows, 100, 7, 'a');
  assert.equal(sampleRows(rows, 100, 7, 'a'), drawn);
  assert.is(new Set(drawn).size, 100);
  assert.ok(drawn.every((row) => rows.includes(row)));
  assert.not.equal(sampleRows(rows, 100, 8, 'a'), drawn);
  assert.not.equal(sampleRows(rows, 100, 7, 'b'), drawn);
  assert.is(sampleRows(rows, 500, 7, 'a'), rows);
  assert.is(rows[1], 3);
});

sample.run();

const distribution = suite('distributionOf');

distribution('gives mean and quantiles by nearest rank', () => {
  const values = Float64Array.from({ length: 200 }, (_, i) => ((i * 77) % 200) + 1);
  assert.equal(distributionOf(values), { rows: 200, mean: 100.5, p50: 100, p90: 180, p99: 198, max: 200 });
  assert.equal(distributionOf(Float64Array.of(3)), { rows: 1, mean: 3, p50: 3, p90: 3, p99: 3, max: 3 });
});

distribution('is a line without a gap where nothing was validated', () => {
  const lipschitz = distributionOf(Float64Array.of(0.25));
  const norms = { embedding: { weight: 1, gradient: 2 }, other: { weight: 3, gradient: 4 } };
  assert.is(
    lipschitzLine(3, 0.5, { lipschitz, norms, train: { AUC: 1 }, gap: {} }),
    'epoch 3 lipschitz [time: 0.50s, ‖∂p/∂e‖ mean: 0.2500, p99: 0.2500, max: 0.2500]' +
      '    norms: embedding 1.000, gradient 2.000; other 3.000, gradient 4.000',
  );
});

distribution.run();
