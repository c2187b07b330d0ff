import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatRivals, formatStarts } from '../../bench/report.js';
import {
  Rival,
  findTorch,
  installTorch,
  ours,
  torch,
  type Opened,
  type Trained,
  type TrainingSizes,
} from '../../bench/rival.js';
import { tokenFields } from '../../bench/data.js';
import { ourContenders, race, threadCounts, usualTrainings, type Contender } from '../../bench/rivals.js';
import { benchStarts } from '../../bench/start.js';
import { testWhen } from '../support/skip.js';

const effort = { sampleMs: 1, rounds: 2, patienceMs: 10 };
const python = await findTorch();

const training = (model: string, classes: number, options = {}): TrainingSizes => ({
  ...{ model, classes, batch: 32, vocabulary: 300, embeddingSize: 4, epochSteps: 4 },
  options,
});
const small = [
  training('LR', 1),
  training('FM', 5),
  training('NFM', 1),
  training('NFM', 5, { mlp_hidden_size: [6, 5], dropout_prob: 0.5 }),
];

const cpu: Contender = { name: 'CPU', command: ours('cpu', 1), isTorch: false };

const rival = suite('Rival');

rival('trains and loses less in time', async () => {
  const { rival: one, greeting } = await Rival.start(cpu.command);
  assert.match(greeting.name, /^CPU: /);
  assert.is(greeting.threads, 1);
  const sizes = training('FM', 1);
  const open = { ...sizes, fields: tokenFields(sizes.vocabulary) };
  const { parameters } = await one.ask<Opened>({ open });
  const features = open.fields.reduce((sum, { cardinality }) => sum + cardinality, 0);
  assert.is(parameters, features * (sizes.embeddingSize + 1) + 1);
  const first = await one.ask<Trained>({ train: 4 });
  for (let epoch = 0; epoch < 20; epoch++) await one.ask<Trained>({ train: 4 });
  const last = await one.ask<Trained>({ train: 4 });
  assert.ok(last.loss < first.loss, `${first.loss} … ${last.loss}`);
  await one.end();
});

rival('says what it cannot do, and goes on', async () => {
  const { rival: one } = await Rival.start(cpu.command);
  const failed = await one.ask({ train: 1 }).then(String, (error: Error) => error.message);
  assert.is(failed, 'nothing is open');
  await one.ask({ close: true });
  await one.end();
});

rival('that cannot be started is an error', async () => {
  const failures = [
    [ours('no such adapter'), /no such adapter/],
    [{ program: 'no-such-program', args: [] }, /it has ended/],
  ] as const;
  for (const [command, what] of failures) {
    const failed = await Rival.start(command).then(String, (error: Error) => error.message);
    assert.match(failed, what);
  }
});

const contest = suite('race');

contest('has the CPU target on one thread and on all', async () => {
  const names = (await ourContenders('cpu')).map(({ name }) => name);
  assert.is(names.length, threadCounts().length);
  assert.is(names[0], 'CPU target, 1 thread');
});

contest('times every rival, and says who could not come', async () => {
  const gone: Contender = { name: 'gone', command: { program: 'no-such-program', args: [] }, isTorch: false };
  const { rivals: rows, absent } = await race([cpu, gone], small[0], effort);
  assert.equal(
    rows.map((row) => row.rival),
    ['CPU'],
  );
  const [{ minMs, medianMs, cpuMs, overTorch, steps }] = rows;
  assert.ok(minMs > 0 && medianMs >= minMs && cpuMs > 0 && steps > 0);
  assert.is(overTorch, undefined, 'there is no PyTorch');
  assert.is(absent.length, 1);
  assert.match(absent[0].why, /it has ended/);
});

contest('has every usual training on a line of its own', () => {
  const times = { minMs: 1, medianMs: 2, p95Ms: 3, cpuMs: 4, steps: 5, overTorch: 20 };
  const rows = usualTrainings.map(({ model }, i) => ({
    ...times,
    ...{ name: model, shape: `B ${i}`, rival: 'CPU', isTorch: false },
  }));
  assert.is(formatRivals(rows).split('\n').length, usualTrainings.length + 1);
});

testWhen(python !== undefined, installTorch, contest, 'trains the same models in PyTorch', async () => {
  const theirs = { name: 'PyTorch', command: torch(python as string, 1), isTorch: true };
  for (const sizes of small) {
    const { rivals: rows, absent } = await race([cpu, theirs], sizes, effort);
    assert.equal(absent, []);
    assert.ok((rows[0].overTorch ?? 0) > 0);
    assert.is(rows[1].overTorch, 1);
  }
});

const starts = suite('benchStarts');

starts('times a process up to its first step', async () => {
  const rows = await benchStarts('cpu', 'FM', 1);
  assert.is(rows.length, python === undefined ? 1 : 2);
  const [{ ms, medianMs, parts }] = rows;
  assert.ok(ms > 0 && ms === medianMs);
  const sum = Object.values(parts ?? {}).reduce((total, part) => total + part, 0);
  assert.ok(sum > 0 && sum < ms + 1, `${sum} of ${ms}`);
  assert.is(formatStarts(rows).split('\n').length, rows.length + 1);
});

for (const one of [rival, contest, starts]) one.run();
