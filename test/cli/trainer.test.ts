import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Progress as Saved } from '../../cli/checkpoint.js';
import { loadTrainConfig } from '../../cli/config.js';
import { judge, noScore } from '../../cli/early_stopping.js';
import type { Logger } from '../../cli/logger.js';
import { openProgress } from '../../cli/progress.js';
import { advanced, shownLosses } from '../../cli/train/losses.js';
import { bytesText, resultTable } from '../../cli/train/report.js';
import { openSession } from '../../cli/train/session.js';
import type { RunState } from '../../cli/train/state.js';
import { fit, freshRun, judged, type Session } from '../../cli/trainer.js';
import { BatchOrder } from '../../data/dataset.js';
import { models } from '../../models/index.js';
import { tinyFolder } from '../support/train.js';

const folder = await tinyFolder();

interface Trained {
  readonly session: Session;
  readonly state: RunState;
  readonly lines: readonly string[];
  readonly records: readonly object[];
  /** Everything that was kept as the best model and to go on from. */
  readonly best: readonly Saved[];
  readonly last: readonly Saved[];
}

function collector(lines: string[], records: object[]): Logger {
  const add = (line: string) => void lines.push(line);
  const record = (one: object) => void records.push(one);
  const kinds = { debug: add, info: add, warning: add, error: add, result: add };
  return { ...kinds, metrics: record, fatal: add, destroy() {} };
}

async function sessionOf(flags: readonly string[], logger: Logger, signal: AbortSignal) {
  const name = flags.some((flag) => flag.startsWith('--dataset=')) ? [] : ['--dataset=tiny'];
  const argv = ['--model=LR', ...name, `--data_path=${join(folder, 'dataset')}`, ...flags];
  const request = await loadTrainConfig(argv, models);
  if (request.kind !== 'run') throw new Error('no run');
  const progress = await openProgress({ mode: 'none' });
  const around = { folder: null, logger, progress, saveEveryMs: 1e9 };
  const { session, start, device } = await openSession({ ...request, before: null }, around);
  return { session: { ...session, signal }, start, device };
}

/** Trains in this process; `then` is called before the device is closed. */
async function train(
  flags: readonly string[],
  then: (trained: Trained) => Promise<void> | void = () => {},
): Promise<Trained> {
  const [lines, records, best, last]: [string[], object[], Saved[], Saved[]] = [[], [], [], []];
  const controller = new AbortController();
  const { session, start, device } = await sessionOf(flags, collector(lines, records), controller.signal);
  const keeper = {
    ...session.keeper,
    keepBest: async (saved: Saved) => void (best.push(saved), await session.keeper.keepBest(saved)),
    keepLast: async (saved: Saved) => void last.push(saved),
  };
  const kept = { ...session, keeper };
  try {
    const { state } = await fit(kept, start);
    const trained = { session: kept, state, lines, records, best, last };
    await then(trained);
    return trained;
  } finally {
    session.runner.destroy();
    device.destroy();
  }
}

const lineOf = (lines: readonly string[], pattern: RegExp) => lines.filter((line) => pattern.test(line));

const fitting = suite('fit');

fitting('trains every epoch, evaluates every eval_step-th, keeps the best of those', async () => {
  const { state, lines, records, best, last } = await train(['--epochs=3', '--eval_step=2', '--multi_cls=5']);
  const pattern =
    /^epoch \d training \[time: \d+\.\d\ds, train_loss1: \d+\.\d{4}, train_loss2: \d+\.\d{4}\]$/;
  assert.is(lineOf(lines, pattern).length, 3);
  assert.equal(lineOf(lines, /evaluating/).length, 1);
  assert.match(lineOf(lines, /evaluating/)[0], /^epoch 1 evaluating \[time: .*, valid_score: 0\.\d{6}\]$/);
  assert.is(lineOf(lines, /^valid result: auc : 0\.\d{4} {4}logloss : \d\.\d{4}$/).length, 1);
  assert.equal([state.epoch, state.stopping.bestEpoch, state.history.length], [3, 1, 3]);
  assert.equal(
    best.map(({ epochs, run }) => [epochs, run]),
    [[2, null]],
  );
  assert.equal(
    last.map(({ epochs }) => epochs),
    [1, 2, 3],
  );
  assert.ok([...best[0].tensors.values()].every(({ kind }) => kind !== 'slot'));
  assert.ok([...last[0].tensors.values()].some(({ kind }) => kind === 'slot'));
  assert.equal(records.length, 3);
  assert.match(lineOf(lines, /^memory: /)[0], /parameters .+B, optimizer .+B, activations .+B \(/);
  assert.match(lineOf(lines, /^cold start/)[0], /^cold start: \d+\.\d\d s \(adapter .* s, compiling .* s\)$/);
});

fitting('keeps the last model where nothing is evaluated', async () => {
  await train(['--epochs=2', '--eval_step=0'], ({ lines, state, best }) => {
    assert.is(lineOf(lines, /evaluating/).length, 0);
    assert.equal([state.epoch, state.best, state.stopping.bestEpoch], [2, null, -1]);
    assert.equal(
      best.map(({ epochs, valid }) => [epochs, valid]),
      [[2, null]],
    );
  });
});

fitting('keeps the initial model where there is no epoch, and tests it', async () => {
  await train(['--epochs=0'], async ({ session, state, best }) => {
    assert.equal([state.step, best.length, best[0].epochs], [0, 1, 0]);
    if (session.test === null) throw new Error('no test part');
    const metrics = await judged(session, session.test);
    assert.equal(Object.keys(metrics ?? {}), ['AUC', 'LogLoss']);
    // Initial weights are small, so every probability is about a half.
    assert.ok(Math.abs((metrics?.LogLoss ?? 0) - Math.log(2)) < 0.2, String(metrics?.LogLoss));
  });
});

fitting('trains all epochs where there is nothing to validate on', async () => {
  const args = "--eval_args={'split': {'RS': [0.9, 0, 0.1]}, 'group_by': 'none'}";
  const { state, lines, best } = await train(['--epochs=2', args, '--train_batch_size=100000']);
  assert.is(
    lineOf(lines, /^no rows to validate on: all epochs are trained, the last model is kept$/).length,
    1,
  );
  assert.equal([state.epoch, best.at(-1)?.epochs], [2, 2]);
});

fitting('ends after the patience, by the rounded score', async () => {
  const flags = ['--epochs=30', '--stopping_step=1', '--learning_rate=0.3', '--metric_decimal_place=2'];
  const { state } = await train(flags);
  assert.ok(state.epoch < 30, `${state.epoch} epochs`);
  const rule = { bigger: true, patience: 1 };
  let verdict = { state: noScore(rule), improved: false, stop: false };
  for (const { epoch, valid } of state.history) {
    assert.not.ok(verdict.stop);
    assert.is(valid?.AUC, Number(valid?.AUC.toFixed(2)));
    verdict = judge(verdict.state, epoch, valid?.AUC ?? Number.NaN, rule);
  }
  assert.ok(verdict.stop);
  assert.equal(state.stopping, verdict.state);
});

fitting('takes the rows in the order of the file without shuffling', async () => {
  const flags = ['--epochs=2', '--shuffle=False', '--learning_rate=1e-30', '--learner=sgd'];
  const { state } = await train(flags);
  // The parameters stand still, so the same batches in the same order have the same losses.
  assert.equal(state.history[0].losses, state.history[1].losses);
});

fitting.run();

const checks = suite('openSession');

/** A set whose parts were split before, the labels of each part given. */
function splitSet(name: string, labels: { train: string; valid: string; test: string }): readonly string[] {
  mkdirSync(join(folder, 'dataset', name), { recursive: true });
  for (const [part, digits] of Object.entries(labels)) {
    const rows = [...digits].map((digit, i) => `u${i % 3}\ti${i % 2}\t${digit}`);
    const text = ['user_id:token\titem_id:token\tlabel:float', ...rows].join('\n');
    writeFileSync(join(folder, 'dataset', name, `${name}.${part}.inter`), `${text}\n`);
  }
  return [`--dataset=${name}`, "--benchmark_filename=['train', 'valid', 'test']"];
}

async function refusal(flags: readonly string[]): Promise<string> {
  try {
    await sessionOf(flags, collector([], []), new AbortController().signal);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  throw new Error('it did not fail');
}

checks('refuses a valid part with one label where the deciding metric compares both', async () => {
  const flags = splitSet('ones', { train: '010101', valid: '111', test: '01' });
  assert.match(
    await refusal(flags),
    /^DataError: valid part: AUC: all 3 labels are 1, .*, or choose another --valid_metric$/,
  );
});

checks('trains on it by another metric, and says what it cannot judge', async () => {
  const flags = splitSet('ones2', { train: '010101', valid: '111', test: '00' });
  const { lines, state } = await train([...flags, '--valid_metric=LogLoss', '--epochs=1']);
  assert.is(lineOf(lines, /^(valid|test) part: AUC: all \d labels are \d, it compares/).length, 2);
  assert.is(Number.isNaN(state.best?.AUC), true);
  assert.is(Number.isFinite(state.best?.LogLoss), true);
});

checks('refuses to learn from one label', async () => {
  const flags = splitSet('flat', { train: '1111', valid: '01', test: '01' });
  assert.match(
    await refusal(flags),
    /^DataError: train: all 4 labels are 1, but learning takes both; change/,
  );
});

checks.run();

const pure = suite('states and reports');

pure('losses are summed by part, in f64', () => {
  const config = { valid_metric_bigger: true, stopping_step: 5 } as Session['config'];
  const fresh = freshRun(config, new BatchOrder(Uint32Array.of(0, 1), 1));
  const one = advanced(fresh, {
    first: 0,
    last: 2,
    parts: { loss: Float32Array.of(1, 2), label: Float32Array.of(3, 4) },
  });
  const two = advanced(one, {
    first: 2,
    last: 3,
    parts: { loss: Float32Array.of(0.1), label: Float32Array.of(0) },
  });
  assert.equal([two.done, two.step, two.losses], [3, 3, { loss: 3 + Math.fround(0.1), label: 7 }]);
});

pure('losses are shown as the weighted parts with classes, else as their sum', () => {
  const sums = { loss: 9, label: 4, penalty: 2, rating: 8 };
  assert.equal(shownLosses(sums, { multi_cls: 5, multi_ratio: 0.25 }), [4.5, 2]);
  assert.is(shownLosses(sums, { multi_cls: null, multi_ratio: null }), 9);
});

pure('tables line up', () => {
  const table = resultTable(
    [
      ['valid', { AUC: 0.75, LogLoss: 12.5 }],
      ['test', { AUC: Number.NaN, LogLoss: 1 }],
    ],
    2,
  );
  assert.is(table, '        AUC  LogLoss\nvalid  0.75    12.50\ntest    NaN     1.00');
});

pure('sizes are in binary units', () => {
  assert.equal([0, 1023, 1024, 5 * 2 ** 30].map(bytesText), ['0 B', '1023 B', '1.00 KiB', '5.00 GiB']);
});

pure.run();
