import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { epochEvents, historyPath, readEvents } from '../../cli/train/history.js';
import { calibrationOf, readResult, resultPath } from '../../cli/train/result.js';
import { close } from '../support/close.js';
import { node, runs, tinyFolder, trainChild, trainScript } from '../support/train.js';

const folder = await tinyFolder();
const flags = [
  '--model=FM',
  '--dataset=tiny',
  '--embedding_size=4',
  '--train_batch_size=128',
  '--log_interval=1',
  '--quiet',
];
const train = async (...more: readonly string[]) => node(folder, [trainScript, ...flags, ...more]);
const onlyRun = () => runs(folder)[0];

const calibration = suite('calibrationOf');

calibration('groups by tenths, 1 in the last, and leaves empty ones out', () => {
  const scores = Float32Array.of(0, 0.0625, 0.5, 0.75, 0.78125, 1);
  const labels = Uint8Array.of(0, 1, 1, 0, 1, 1);
  assert.equal(calibrationOf({ scores, labels }), [
    { rows: 2, predicted: 0.03125, observed: 0.5 },
    { rows: 1, predicted: 0.5, observed: 1 },
    { rows: 2, predicted: 0.765625, observed: 0.5 },
    { rows: 1, predicted: 1, observed: 1 },
  ]);
});

calibration('counts every row once', () => {
  const scores = Float64Array.from({ length: 1001 }, (_, i) => (i * 0.618) % 1);
  const labels = scores.map((score) => (score > 0.4 ? 1 : 0));
  const bins = calibrationOf({ scores, labels });
  const sum = (of: (bin: (typeof bins)[number]) => number) => bins.reduce((total, bin) => total + of(bin), 0);
  const counted = sum(({ rows }) => rows);
  assert.is(counted, 1001);
  const [predicted, observed] = [scores, labels].map((values) => values.reduce((a, b) => a + b, 0));
  close([sum((bin) => bin.rows * bin.predicted)], [predicted], 1e-12);
  close([sum((bin) => bin.rows * bin.observed)], [observed], 1e-12);
});

calibration.run();

const written = suite('result.json');

written.before.each(() => rmSync(join(folder, 'saved'), { recursive: true, force: true }));

written('says what the run came to', async () => {
  const { code, err } = await train('--epochs=2', '--multi_cls=5', '--multi_ratio=0.25', '--seed=7');
  assert.is(code, 0, err);
  const result = await readResult(onlyRun());
  const events = await readEvents(onlyRun());
  const end = events.at(-1) as { valid: object; test: object; best_epoch: number };
  assert.is(result.model, 'FM');
  assert.is(result.dataset, 'tiny');
  assert.is(result.seed, 7);
  assert.is((result.config as { options: { multi_ratio: number } }).options.multi_ratio, 0.25);
  assert.is(result.epochs, 2);
  assert.equal(result.valid, end.valid);
  assert.equal(result.test, end.test);
  assert.is(result.best_epoch, end.best_epoch);
  const rows = result.calibration.reduce((sum, bin) => sum + bin.rows, 0);
  const log = readFileSync(join(onlyRun(), 'run.log'), 'utf8');
  assert.is(rows, Number(/rows: .*test (\d+)/.exec(log)?.[1]));
  assert.ok(result.seconds > 0 && result.examples_per_second > 0);
});

written('says how steep the best model is, also by its logits, where that was asked for', async () => {
  const { code, err } = await train('--epochs=3', '--multi_cls=5', '--lipschitz', '--eval_step=1');
  assert.is(code, 0, err);
  const { lipschitz, best_epoch, test } = await readResult(onlyRun());
  assert.ok(lipschitz !== null && test !== null);
  const events = epochEvents(await readEvents(onlyRun()));
  assert.equal(lipschitz.score, events[best_epoch].lipschitz);
  const { logits, probabilities, within } = lipschitz;
  // A softmax has slopes of at most ½.
  assert.ok(0 < probabilities && probabilities <= logits / 2 && within >= 0 && within <= 1);
  const log = readFileSync(join(onlyRun(), 'run.log'), 'utf8');
  assert.match(log, /best model: ‖∂p\/∂e‖ mean: \S+, max: \S+; L_p: \S+, L_f: \S+, L_f\/√5: \S+\n/);
  rmSync(join(folder, 'saved'), { recursive: true });
  await train('--epochs=1');
  assert.is((await readResult(onlyRun())).lipschitz, null);
});

written('is not there after a stop, but after going on', async () => {
  const moment = JSON.stringify({ signal: 'SIGINT', epoch: 1, done: 2 });
  const stopped = await node(folder, [trainChild, moment, ...flags, '--epochs=2']);
  assert.is(stopped.code, 130, stopped.err);
  const run = onlyRun();
  assert.not(existsSync(resultPath(run)));
  const last = join(run, 'last.ckpt');
  const { code, err } = await node(folder, [trainScript, `--resume=${last}`, '--quiet']);
  assert.is(code, 0, err);
  assert.is((await readResult(run)).epochs, 2);
});

written('goes away when the run goes on, and comes back with all epochs', async () => {
  assert.is((await train('--epochs=1')).code, 0);
  const run = onlyRun();
  const before = await readResult(run);
  const { code, err } = await node(folder, [
    trainScript,
    `--resume=${join(run, 'last.ckpt')}`,
    '--epochs=3',
    '--quiet',
  ]);
  assert.is(code, 0, err);
  const after = await readResult(run);
  assert.equal([before.epochs, after.epochs], [1, 3]);
  assert.ok(after.seconds > before.seconds);
  assert.is(epochEvents(await readEvents(run)).length, 3);
});

written('is not written with --saved=False', async () => {
  const { code, err } = await train('--epochs=1', '--saved=False');
  assert.is(code, 0, err);
  assert.not(existsSync(join(folder, 'saved')));
});

written('that is damaged is named', async () => {
  assert.is((await train('--epochs=1')).code, 0);
  const path = resultPath(onlyRun());
  const good = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const fails = async (text: string, pattern: RegExp) => {
    writeFileSync(path, text);
    const error = await readResult(onlyRun()).then(
      () => null,
      (thrown: Error) => thrown,
    );
    assert.is(error?.name, 'DataError');
    assert.match(error?.message ?? '', pattern);
    assert.ok(error?.message.startsWith(path));
  };
  await fails('{"version": 1', /damaged/);
  await fails(JSON.stringify({ ...good, version: 2 }), /version is 2, not 1/);
  await fails(JSON.stringify({ ...good, test: { AUC: true } }), /test\.AUC is not a number/);
  await fails(JSON.stringify({ ...good, lipschitz: { score: {} } }), /lipschitz\.logits is not a number/);
  await fails(JSON.stringify({ ...good, calibration: [{ rows: 0 }] }), /calibration\[0\]\.rows/);
});

written.run();

const history = suite('readEvents');

history('leaves a line without its end out, and names a damaged one', async () => {
  const run = join(folder, 'saved');
  const event = (epoch: number, rest = '') => `{"event":"epoch","epoch":${epoch}${rest}}\n`;
  rmSync(run, { recursive: true, force: true });
  mkdirSync(run);
  writeFileSync(historyPath(run), `${event(0)}${event(1)}{"event":"epo`);
  assert.is((await readEvents(run)).length, 2);
  writeFileSync(historyPath(run), `${event(0)}{"event":"epo${event(1)}`);
  const error = await readEvents(run).then(
    () => null,
    (thrown: Error) => thrown,
  );
  assert.match(error?.message ?? '', /metrics\.jsonl:2: .*remove the line/);
});

history('keeps of an epoch that was trained twice the later', () => {
  const events = [0, 1, 2, 1].map((epoch, i) => ({ event: 'epoch', epoch, i }));
  assert.equal(
    epochEvents([...events, { event: 'result' }]).map(({ i }) => i),
    [0, 3, 2],
  );
});

history.run();
