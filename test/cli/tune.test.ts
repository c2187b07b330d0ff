import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runFolders } from '../../cli/cells/state.js';
import type { Trial } from '../../cli/tune/study.js';
import { node, tinyFolder, trainScript, type Ended } from '../support/train.js';

const folder = await tinyFolder();
const saved = join(folder, 'saved');
const script = resolve('cli/tune.js');
const paramsFile = 'hyper.test';
const fm = ['--model=FM', '--dataset=tiny', '--embedding_size=4', '--train_batch_size=400'];
const small = [`--params_file=${paramsFile}`, ...fm, '--epochs=3'];

function params(...lines: readonly string[]): void {
  writeFileSync(join(folder, paramsFile), `${lines.join('\n')}\n`);
}

const tune = (argv: readonly string[], ...heard: readonly Parameters<typeof node>[2][]): Promise<Ended> =>
  node(folder, [script, ...argv], heard[0]);
const study = (name = 'FM-tiny') => join(saved, 'studies', name);
const trialsOf = (name?: string): Trial[] =>
  readFileSync(join(study(name), 'trials.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Trial);
/** What a trial came to, without how long it took and where it lies. */
const outcomes = (name?: string) =>
  trialsOf(name).map(({ seconds: _seconds, run: _run, ...outcome }) => outcome);

/** Ended with 1 and one line on stderr. */
function refused({ code, err }: Ended, message: RegExp): void {
  assert.is(code, 1, err);
  assert.match(err, message);
  assert.is(err.trimEnd().split('\n').length, 1, err);
}

const command = suite('tune');
command.after.each(() => rmSync(saved, { recursive: true, force: true }));

command('searches, ends bad trials early, and keeps the best as a file that trains the same', async () => {
  params('learning_rate loguniform -8,0', "train_batch_size choice [200, '400']");
  const argv = [
    '--algo=bayes',
    '--max_evals=9',
    '--startup_trials=4',
    '--prune_startup=2',
    '--output_file=out.txt',
  ];
  const given = small.filter((flag) => !flag.startsWith('--train_batch_size'));
  const { code, out, err } = await tune([...given, '--multi_cls=5', ...argv]);
  assert.equal([code, err], [0, '']);
  const trials = trialsOf();
  assert.is(trials.length, 9);
  const states = trials.map(({ state }) => state);
  assert.ok(states.includes('pruned') && states.includes('complete'), states.join());
  for (const { state, curve, trial } of trials)
    assert.is(curve.length === 3, state === 'complete', `trial ${trial}`);
  const whole = trials.filter(({ state }) => state === 'complete');
  const best = whole.reduce((one, other) => ((other.score ?? 0) > (one.score ?? 0) ? other : one));
  assert.match(out, new RegExp(`chosen on valid, by AUC: trial ${best.trial}, learning_rate=`));
  assert.match(out, /\ntrial +valid AUC +test AUC +test LogLoss +epochs +learning_rate +train_batch_size\n/);
  assert.match(out, /trial \d: learning_rate=.*: AUC 0\.\d{4} in epoch \d, pruned after \d epoch/);
  const again = await node(folder, [
    trainScript,
    `--config_files=${study()}/best.yaml`,
    '--quiet',
    '--saved=False',
  ]);
  assert.match(again.out, new RegExp(`valid +${best.score?.toFixed(4)} `));
  assert.match(again.out, new RegExp(`test +${best.test?.AUC.toFixed(4)} `));
  const results = readFileSync(join(folder, 'out.txt'), 'utf8');
  assert.match(
    results,
    /^learning_rate:0\.\d+, train_batch_size:\d+\nValid result:\nauc : 0\.\d{4} {4}logloss : /,
  );
  // Only the best can be used, and only its checkpoints take room.
  const kept = trials.filter(({ run }) => existsSync(join(folder, run ?? '', 'best.ckpt')));
  assert.equal(
    kept.map(({ trial }) => trial),
    [best.trial],
  );
});

command('tries the same for the same seed, and nothing when there is nothing left', async () => {
  params('learning_rate choice [0.1, 0.001]', 'embedding_size randint 3,5');
  const given = small.filter((flag) => !flag.startsWith('--embedding_size'));
  const [one, other] = await Promise.all([tune([...given, '--name=one']), tune([...given, '--name=other'])]);
  assert.equal([one.code, one.err, other.code, other.err], [0, '', 0, '']);
  assert.is(trialsOf('one').length, 4);
  assert.equal(outcomes('one'), outcomes('other'));
  const again = await tune([...given, '--name=one']);
  assert.match(again.out, /at most 4 trials\nsaved\/studies\/one: goes on after 4 trials\n/);
  assert.is(trialsOf('one').length, 4);
  const reversed = await tune([...given, '--name=third', '--seed=7', '--quiet']);
  assert.match(reversed.out, /^trial +valid AUC/);
  assert.not.equal(
    trialsOf('third').map(({ params: values }) => values),
    trialsOf('one').map(({ params: values }) => values),
  );
});

command('goes on after Ctrl-C and after kill -9 as if nothing had been', async () => {
  params('learning_rate loguniform -6,-1');
  const argv = [...small, '--algo=random', '--max_evals=5', '--pruner=none'];
  await tune([...argv, '--name=whole']);
  const name = '--name=broken';
  const after = (line: string, signal: NodeJS.Signals) =>
    tune([...argv, name], (out, kill) => {
      // Well into the trial after that line.
      if (out.includes(line)) setTimeout(() => kill(signal), 350);
    });
  const interrupted = await after('trial 0:', 'SIGINT');
  assert.is(interrupted.code, 130);
  assert.match(
    interrupted.err,
    /^stopped in trial \d; go on with the same command, which reads saved\/studies\/broken\n$/,
  );
  assert.ok(trialsOf('broken').length < 5);
  const killed = await after('goes on after', 'SIGKILL');
  assert.is(killed.signal, 'SIGKILL');
  assert.ok(existsSync(join(study('broken'), 'lock')));
  const { code, err } = await tune([...argv, name]);
  assert.equal([code, err], [0, '']);
  assert.equal(outcomes('broken'), outcomes('whole'));
  assert.not.ok(existsSync(join(study('broken'), 'lock')));
  const runs = readdirSync(join(study('broken'), 'trials')).map(
    (trial) => runFolders(join(study('broken'), 'trials', trial)).length,
  );
  assert.equal(runs, [1, 1, 1, 1, 1], 'an interrupted run goes on in its folder');
});

command('records trials that fail, and gives up when all do', async () => {
  params('learning_rate choice [1e30, 2e30, 3e30, 4e30, 5e30, 6e30]');
  refused(
    await tune([...small, '--learner=sgd', '--quiet']),
    /studies\/FM-tiny: 5 trials in a row failed, the last with ".*"; correct hyper\.test or the flags/,
  );
  const trials = trialsOf();
  assert.ok(
    trials.every(
      ({ state, score, error }) => state === 'failed' && score === null && /loss/.test(error ?? ''),
    ),
  );
  params('learning_rate choice [1e30, 0.01]');
  const { code, out } = await tune([...small, '--learner=sgd', '--name=half']);
  assert.is(code, 0, out);
  assert.match(out, /trial \d: learning_rate=1e\+30: failed: .*loss/);
});

command('ends after trials that bring nothing better', async () => {
  params('learning_rate choice [0.5, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5]');
  const { code, out } = await tune([...small, '--early_stop=2', '--pruner=none', '--max_evals=6']);
  assert.is(code, 0);
  const trials = trialsOf();
  const best = trials.findIndex(({ score }) => score === Math.max(...trials.map((one) => one.score ?? 0)));
  assert.ok(trials.length < 6, out);
  assert.is(trials.length, best + 3);
});

const errors: readonly (readonly [line: string, flags: readonly string[], message: RegExp])[] = [
  [
    'learning_rat uniform 0,1',
    [],
    /^tune: hyper\.test:2: learning_rat: no such option; did you mean learning_rate\?/,
  ],
  [
    'embedding_size uniform 4,8',
    [],
    /hyper\.test:2: embedding_size: is also given as --embedding_size=4; leave one/,
  ],
  [
    'multi_cls uniform 2,8',
    [],
    /hyper\.test:2: multi_cls: wants whole numbers; give randint, choice, or quniform/,
  ],
  [
    'weight_decay uniform -1,1',
    [],
    /hyper\.test:2: weight_decay: the value -0\.99\d*: out of range; it must be at least 0/,
  ],
  ["multi_cls choice [5, '[5']", [], /hyper\.test:2: multi_cls: choice \[5: "\[" is not closed/],
  ['multi_cls choice [5, 1]', [], /hyper\.test:2: multi_cls: choice 1: out of range/],
  [
    "model choice ['FM', 'LR']",
    [],
    /hyper\.test:2: model: must be the same for all trials; give it as a flag/,
  ],
  ['weight_decay uniform 0,1', [], /learning_rate: has no end of values.*--algo=random or bayes/],
  ['', ['--checkpoint_dir=x'], /--checkpoint_dir=x: not an option of tune; trials have folders/],
  ['', ['--algo=bayes', '--eval_step=0'], /--eval_step=0: no epoch is evaluated/],
  ['', ['--algo=bayes', '--epoch=3'], /--epoch=3: no such option; did you mean epochs\?/],
  ['', ['--algo=simplex'], /--algo=simplex: not known; give one of exhaustive, random, bayes/],
];

command('says what is wrong before it trains, with file and line', async () => {
  for (const [line, flags, message] of errors) {
    params('learning_rate loguniform -8,0', line);
    refused(await tune([...small, ...flags]), message);
    assert.not.ok(existsSync(saved), line);
  }
  refused(await tune(fm), /--params_file: missing; what to search/);
});

command('tells another study, and one at work, from its own', async () => {
  params('learning_rate choice [0.1]');
  await tune(small);
  refused(
    await tune([...small, '--algo=bayes']),
    /FM-tiny: is a study whose algo is "exhaustive", not "bayes"; give another/,
  );
  refused(
    await tune([...small, '--weight_decay=1']),
    /FM-tiny: is a study whose flags is \[.*give another --name/,
  );
  const lock = (holder: object) => writeFileSync(join(study(), 'lock'), JSON.stringify(holder));
  lock({ pid: process.pid, host: hostname() });
  refused(await tune(small), new RegExp(`FM-tiny/lock: process ${process.pid} is at work on it`));
  lock({});
  assert.is((await tune(small)).code, 0, 'a lock of nobody');
  const { out } = await tune([...small, '--name=ray', '--tool=ray', '--quiet']);
  assert.match(out, /^trial +valid AUC/);
  const record = JSON.parse(readFileSync(join(study('ray'), 'study.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  assert.equal([record.algo, record.pruner], ['random', 'halving']);
});

command.run();
