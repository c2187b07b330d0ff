import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DeviceError,
  chromeTrace,
  formatProfile,
  profileSteps,
  profileTable,
  type DispatchTime,
} from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { makeToy, wordsOf } from '../support/toy_step.js';

const time = (op: string, entry: string, startUs: number, endUs: number): DispatchTime => ({
  op,
  entry,
  startNs: 1000 * startUs,
  endNs: 1000 * endUs,
});

/** Two steps of three dispatches. */
const steps = [
  [time('linear', 'forward', 0, 100), time('adam', 'dense', 100, 150), time('adam', 'dense', 160, 190)],
  [time('linear', 'forward', 0, 300), time('adam', 'dense', 310, 330), time('sgd', 'dense', 330, 430)],
];

const table = suite('profileTable');

table('sums by op and entry, the longest first', () => {
  assert.equal(profileTable(steps), [
    { op: 'linear', entry: 'forward', calls: 2, totalMs: 0.4, share: 4 / 6, meanUs: 200 },
    { op: 'adam', entry: 'dense', calls: 3, totalMs: 0.1, share: 1 / 6, meanUs: 100 / 3 },
    { op: 'sgd', entry: 'dense', calls: 1, totalMs: 0.1, share: 1 / 6, meanUs: 100 },
  ]);
});

table('has no share of nothing', () => {
  assert.equal(profileTable([]), []);
  assert.is(profileTable([[time('a', 'b', 0, 0)]])[0].share, 0);
});

const text = suite('formatProfile');

text('aligns names to the left and numbers to the right', () => {
  const expected = [
    'op      entry    calls  total ms   share  mean µs',
    'linear  forward      2     0.400  66.7 %    200.0',
    'adam    dense        3     0.100  16.7 %     33.3',
    'sgd     dense        1     0.100  16.7 %    100.0',
    'all                  6     0.600',
  ];
  assert.is(formatProfile(profileTable(steps)), expected.join('\n'));
});

const trace = suite('chromeTrace');

trace('has a complete event for every dispatch, in microseconds, the steps one after another', () => {
  const { traceEvents, otherData } = chromeTrace(steps, 'a device', 'FM');
  assert.equal(otherData, { device: 'a device', steps: 2 });
  const names = traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => 'name' in args && args.name);
  assert.equal(names, ['a device', 'FM']);
  const spans = traceEvents.flatMap((event) => (event.ph === 'X' ? [event] : []));
  assert.equal(
    spans.map(({ name, cat, ts, dur }) => [name, cat, ts, dur]),
    [
      ['forward', 'linear', 0, 100],
      ['dense', 'adam', 100, 50],
      ['dense', 'adam', 160, 30],
      ['forward', 'linear', 190, 300],
      ['dense', 'adam', 500, 20],
      ['dense', 'sgd', 520, 100],
    ],
  );
  assert.equal(
    spans.map(({ args }) => [args.step, args.dispatch]),
    [0, 1].flatMap((step) => [0, 1, 2].map((dispatch) => [step, dispatch])),
  );
  const { traceEvents: read } = JSON.parse(JSON.stringify(chromeTrace(steps, 'a', 'b'))) as {
    traceEvents: unknown[];
  };
  assert.is(read.length, 8, 'it is plain data');
});

const profiled = suite('profileSteps');

profiled('times every dispatch of a step, and trains it', async () => {
  const device = await testDevice();
  const [timed, plain] = [await makeToy(device), await makeToy(device)];
  const probe = await timed.plan.profile();
  plain.plan.run(1);
  if (probe === undefined) {
    const error = await profileSteps(timed.plan, 1, 'a device').catch((reason: unknown) => reason);
    assert.instance(error, DeviceError);
  } else {
    const [first, second] = await profileSteps(timed.plan, 2, device.name);
    plain.plan.run(2);
    const entries = timed.plan
      .describe()
      .split('\n')
      .map((line) => line.replace(/\(.*/, ''));
    assert.equal(
      first.map(({ op, entry }) => `${op}: ${entry}`),
      entries,
    );
    for (const { startNs, endNs } of [...first, ...second]) assert.ok(startNs >= 0 && endNs >= startNs);
    assert.equal(await wordsOf(timed.store), await wordsOf(plain.store), 'three steps');
  }
  device.destroy();
});

profiled('says in one sentence that an adapter has no timestamps', async () => {
  const { plan } = { plan: { profile: () => Promise.resolve(undefined) } };
  const error = await profileSteps(plan, 1, 'Some Adapter').catch((reason: unknown) => reason as Error);
  assert.instance(error, DeviceError);
  const sentence = 'has no timestamp-query, so kernels cannot be timed; choose another --adapter';
  assert.is((error as Error).message, `profile: Some Adapter ${sentence}`);
});

for (const one of [table, text, trace, profiled]) one.run();
