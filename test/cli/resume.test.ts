import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpoint } from '../../cli/checkpoint.js';
import { node, outcome, runs, sameBits, tinyFolder, trainChild, trainScript } from '../support/train.js';

const common = ['--dataset=tiny', '--embedding_size=8', '--train_batch_size=160', '--log_interval=1'];
// About 1,200 rows to train on: 7 steps of 160 and a shorter one.
const stepsPerEpoch = 8;
const fm = ['--model=FM', '--multi_cls=5', '--lr_scheduler=exponential', '--lr_gamma=0.5', ...common];
const nfm = ['--model=NFM', '--mlp_hidden_size=[8]', '--dropout_prob=0.3', '--stopping_step=10', ...common];

/** Starts a run that sends itself `signal` after the state (epoch, done) is saved. */
function stopped(folder: string, argv: readonly string[], signal: string, epoch: number, done: number) {
  return node(folder, [trainChild, JSON.stringify({ signal, epoch, done }), ...argv]);
}

/** The two runs of `folder`, the older first. */
async function bothOutcomes(folder: string) {
  const [first, second] = runs(folder).sort();
  return [await outcome(first), await outcome(second)] as const;
}

const resume = suite('--resume');

resume('goes on bit for bit after kill -9 in the middle of an epoch, in the same folder', async () => {
  const folder = await tinyFolder();
  const argv = [...fm, '--epochs=3'];
  const whole = await node(folder, [trainScript, ...argv]);
  assert.is(whole.code, 0, whole.err);
  const killed = await stopped(folder, argv, 'SIGKILL', 1, 3);
  assert.equal([killed.code, killed.signal], [null, 'SIGKILL']);
  const path = join(runs(folder).sort()[1], 'last.ckpt');
  const { run } = await readCheckpoint(path);
  assert.equal([run?.epoch, run?.done, run?.step], [1, 3, stepsPerEpoch + 3]);
  const resumed = await node(folder, [trainScript, `--resume=${path}`]);
  assert.is(resumed.code, 0, resumed.err);
  assert.is(runs(folder).length, 2);
  const [expected, actual] = await bothOutcomes(folder);
  sameBits(actual.best, expected.best);
  sameBits(actual.last, expected.last);
  const table = (out: string) => out.slice(out.indexOf('          AUC'), out.indexOf('best model'));
  assert.is(table(resumed.out), table(whole.out));
});

resume('goes on bit for bit with dropout and batch norm after Ctrl-C', async () => {
  const folder = await tinyFolder();
  const argv = [...nfm, '--epochs=2'];
  const whole = await node(folder, [trainScript, ...argv]);
  assert.is(whole.code, 0, whole.err);
  const interrupted = await stopped(folder, argv, 'SIGINT', 0, 2);
  assert.is(interrupted.code, 130, interrupted.err);
  const [, command, path] = /; go on with: node (cli\/train\.js --resume=(.+))\n/.exec(interrupted.err) ?? [];
  assert.ok(command, interrupted.err);
  const { epoch, done = 0 } = (await readCheckpoint(join(folder, path))).run ?? {};
  assert.is(epoch, 0);
  assert.ok(done >= 2 && done < stepsPerEpoch, `${done} steps`);
  const resumed = await node(folder, [trainScript, `--resume=${path}`]);
  assert.is(resumed.code, 0, resumed.err);
  const [expected, actual] = await bothOutcomes(folder);
  sameBits(actual.best, expected.best);
  sameBits(actual.last, expected.last);
  // Again, with nothing left to train: it is tested once more, and with more epochs it goes on.
  const more = await node(folder, [trainScript, `--resume=${path}`, '--epochs=3', '--quiet']);
  assert.is(more.code, 0, more.err);
  assert.match(more.out, /^ +AUC +LogLoss\nvalid .*\ntest .*\n$/);
  const log = readFileSync(join(folder, path, '..', 'run.log'), 'utf8');
  assert.is(log.match(/epoch 2 training/g)?.length, 1);
});

resume('takes SIGTERM like Ctrl-C', async () => {
  const folder = await tinyFolder();
  const ended = await stopped(folder, [...fm, '--epochs=2'], 'SIGTERM', 0, stepsPerEpoch - 1);
  assert.is(ended.code, 143, ended.err);
  assert.match(
    ended.err,
    /stopped in epoch \d after \d of 8 steps; go on with: node cli\/train\.js --resume=/,
  );
});

resume.run();
