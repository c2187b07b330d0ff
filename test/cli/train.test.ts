import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCheckpoint } from '../../cli/checkpoint.js';
import {
  node,
  outcome,
  runs,
  sameBits,
  tinyFolder,
  trainChild,
  trainScript,
  type Ended,
} from '../support/train.js';

const folder = await tinyFolder();
const saved = join(folder, 'saved');
const fm = ['--model=FM', '--dataset=tiny', '--embedding_size=4', '--train_batch_size=400'];

const train = (...argv: readonly string[]) => node(folder, [trainScript, ...argv]);

/** Ended with 1 and one line on stderr. */
function refused({ code, err }: Ended, message: RegExp): void {
  assert.is(code, 1);
  assert.match(err, message);
  assert.is(err.trimEnd().split('\n').length, 1, err);
}

const command = suite('train');
command.after.each(() => rmSync(saved, { recursive: true, force: true }));

command('prints configuration, data, adapter and epochs, and keeps them in files', async () => {
  const { code, out, err } = await train(...fm, '--multi_cls=5', '--epochs=2');
  assert.equal([code, err], [0, '']);
  const parts = [
    /^Run Hyper Parameters:\nmodel = FM\ndataset = tiny\n/,
    /multi_ratio=0\.5: not given/,
    /The number of inters: \d+\n/,
    /rows: train \d+, valid \d+, test \d+\nadapter: .+ \((gpu|software|cpu)\)\ncold start: /,
    /Trainable parameters: \d+\nmemory: /,
    /epoch 0 training .*\nepoch 0 evaluating .*\nvalid result: auc : .*\nepoch 1 training /,
    /trained 2 epochs in \d+ s: .+ examples\/s\nFinished training, best eval result in epoch \d\n/,
    /best valid : auc : (0\.\d{4}) {4}logloss : .*\ntest result: auc : 0\.\d{4} {4}logloss : .*\n +AUC +LogLoss\nvalid +\1 /,
    /\ntest +0\.\d{4} +\d\.\d{4}\nbest model: saved\/FM-tiny-.*\/best\.ckpt\n$/,
  ];
  for (const part of parts) assert.match(out, part);
  const [run] = runs(folder);
  assert.equal(readdirSync(run).sort(), [
    'best.ckpt',
    'last.ckpt',
    'metrics.jsonl',
    'result.json',
    'run.log',
  ]);
  const log = readFileSync(join(run, 'run.log'), 'utf8');
  assert.match(log, /INFO Run Hyper Parameters:/);
  const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line));
  assert.equal(
    records.map(({ event }) => event),
    ['epoch', 'epoch', 'result'],
  );
  assert.equal(Object.keys(records[0].valid), ['AUC', 'LogLoss']);
  assert.ok(records[0].examples_per_second > 0);
});

command('gives the same bits in two processes', async () => {
  const argv = [...fm, '--multi_cls=5', '--epochs=2', '--quiet'];
  const ended = await Promise.all([train(...argv), train(...argv)]);
  assert.equal(
    ended.map(({ code, err }) => [code, err]),
    [
      [0, ''],
      [0, ''],
    ],
  );
  assert.is(ended[0].out, ended[1].out);
  const [one, other] = await Promise.all(runs(folder).map(outcome));
  sameBits(one.best, other.best);
  sameBits(one.last, other.last);
});

command('prints only the table with --quiet and writes nothing with --saved=False', async () => {
  const { code, out, err } = await train(...fm, '--epochs=1', '--quiet', '--saved=False');
  assert.equal([code, err], [0, '']);
  assert.match(out, /^ +AUC +LogLoss\nvalid +0\.\d{4} +\d\.\d{4}\ntest +0\.\d{4} +\d\.\d{4}\n$/);
  assert.not.ok(existsSync(saved));
});

command('stops at a loss that is not finite; what was saved before is whole', async () => {
  // An epoch is one step; weights grow by 3e18 in each, and the square of 1.8e19 is no f32.
  const flags = [
    '--train_batch_size=2000',
    '--eval_step=0',
    '--learning_rate=3e18',
    '--epochs=30',
    '--quiet',
  ];
  const { code, err } = await train('--model=FM', '--dataset=tiny', '--embedding_size=4', ...flags);
  assert.is(code, 1);
  const [, step] =
    /^train: loss: not finite at step (\d+) \(batch 0 of its epoch\), first in /.exec(err) ?? [];
  assert.ok(Number(step) > 1, err);
  assert.match(err, /; lower learning_rate, or set clip_grad_norm\n$/);
  const last = await readCheckpoint(join(runs(folder)[0], 'last.ckpt'));
  assert.is(last.run?.step, Number(step) - 1);
  reasonKept(err);
});

/** What the command said last stands at the end of run.log too. */
function reasonKept(err: string): void {
  const log = readFileSync(join(runs(folder)[0], 'run.log'), 'utf8');
  assert.ok(log.endsWith(` CRITICAL ${err}`), log.slice(-300));
}

command(
  'keeps in run.log why it ended, also where nobody waited for it or a file is in the way',
  async () => {
    const child = (signal: string) =>
      node(folder, [
        trainChild,
        JSON.stringify({ signal, epoch: 0, done: 1 }),
        ...fm,
        '--epochs=2',
        '--quiet',
      ]);
    const stray = await child('stray');
    assert.equal([stray.code, stray.err], [1, 'train: a thread has died\n']);
    reasonKept(stray.err);
    rmSync(saved, { recursive: true });
    assert.is((await child('SIGKILL')).signal, 'SIGKILL');
    mkdirSync(join(runs(folder)[0], 'best.ckpt', 'in the way'), { recursive: true });
    const blocked = await train(`--resume=${join(runs(folder)[0], 'last.ckpt')}`, '--quiet');
    refused(blocked, /^train: \S+best\.ckpt: is a directory; give a file \(EISDIR\)\n$/);
    reasonKept(blocked.err);
  },
);

command('profiles kernels where the adapter measures time', async () => {
  const { code, out, err } = await train(...fm, '--epochs=1', '--profile', '--quiet');
  if (code !== 0)
    return assert.match(err, /^train: profile: .* has no timestamp-query, .*; choose another --adapter\n$/);
  assert.match(out, /^op +entry +calls +total ms +share +mean µs\n/);
  const trace = JSON.parse(readFileSync(join(runs(folder)[0], 'trace.json'), 'utf8'));
  assert.ok(trace.traceEvents.length > 10);
});

command('stops at Ctrl-C, says how to go on, and refuses to go on with anything else', async () => {
  let sent = false;
  const { code, err } = await node(
    folder,
    [trainScript, ...fm, '--epochs=5000', '--stopping_step=5000'],
    (out, kill) => {
      if (sent || !out.includes('epoch 0 evaluating')) return;
      sent = true;
      kill('SIGINT');
    },
  );
  assert.is(code, 130, err);
  const [, path] = /; go on with: node cli\/train\.js --resume=(\S+)\n$/.exec(err) ?? [];
  assert.ok(path, err);
  const resume = `--resume=${path}`;
  refused(
    await train(resume, '--learning_rate=0.5'),
    /^train: --learning_rate=0\.5: the run began with 0\.001; /,
  );
  refused(
    await train(resume.replace('last', 'best')),
    /best\.ckpt: holds a model, not a run; go on from last\.ckpt/,
  );
  const best = join(folder, path, '..', 'best.ckpt');
  const bytes = readFileSync(best);
  rmSync(best);
  refused(await train(resume, '--quiet'), /best\.ckpt: the best model, of epoch \d+, is not beside the run/);
  writeFileSync(best, bytes.subarray(0, 1000));
  refused(
    await train(resume, '--quiet'),
    /best\.ckpt: 1000 bytes, but it was written with \d+; it is damaged/,
  );
});

command.run();

const errors = suite('train, before anything is trained');

errors('lists its options', async () => {
  const { code, out } = await train('--help', '--model=NFM');
  assert.is(code, 0);
  assert.match(out, /--mlp_hidden_size/);
});

errors('answers a wrong command with one line and leaves nothing behind', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--model=FM', '--dataset=yelp2018'],
      /^train: --dataset=yelp2018: .*yelp2018\.inter is not there; put RecBole/,
    ],
    [['--model=GM', '--dataset=tiny'], /^train: --model=GM: no such model; /],
    [
      [...fm, '--multi_cls=4', "--threshold={'rating': 3}"],
      /^train: --multi_cls=4: rating 5 of user \S+ and item \S+ is/,
    ],
    [[...fm, '--adapter=voodoo'], /^train: --adapter=voodoo: no such adapter, have /],
    [['--resume=absent/last.ckpt'], /^train: absent\/last\.ckpt: no such file or directory/],
    [
      ['--resume=dataset/tiny/tiny.inter'],
      /tiny\.inter: not a checkpoint of this program; give a best\.ckpt or last/,
    ],
    [
      [...fm, '--checkpoint_dir=dataset/tiny/tiny.inter'],
      /^train: dataset\/tiny\/tiny\.inter: is there already; choose/,
    ],
  ];
  for (const [argv, message] of cases) {
    refused(await train(...argv, '--quiet'), message);
    assert.equal(existsSync(saved) ? readdirSync(saved) : [], [], argv.join(' '));
  }
});

errors.run();
