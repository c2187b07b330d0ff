import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluatingLine, openLogger, resultLine, trainingLine, type Severity } from '../../cli/logger.js';
import { skipUnless } from '../support/skip.js';

const root = mkdtempSync(join(tmpdir(), 'ctr-logger-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** Writes one line of each severity and a result; returns what was shown and what run.log holds. */
function outcome(state: Severity, quiet: boolean): { readonly shown: string; readonly kept: string } {
  const folder = mkdtempSync(join(root, 'run-'));
  const shown: string[] = [];
  const logger = openLogger({ folder, state, quiet, print: (line) => shown.push(line) });
  logger.debug('d');
  logger.info('i');
  logger.warning('w');
  logger.error('e');
  logger.result('r');
  logger.destroy();
  const kept = readFileSync(join(folder, 'run.log'), 'utf8').trim().split('\n');
  return { shown: shown.join(''), kept: kept.map((line) => line.at(-1)).join('') };
}

const logging = suite('openLogger');

logging('shows from `state` on, and results in any case', () => {
  assert.equal(outcome('DEBUG', false), { shown: 'diwer', kept: 'diwer' });
  assert.equal(outcome('INFO', false), { shown: 'iwer', kept: 'iwer' });
  assert.equal(outcome('ERROR', false), { shown: 'er', kept: 'iwer' });
});

logging('shows only results and trouble when quiet', () => {
  assert.equal(outcome('INFO', true), { shown: 'wer', kept: 'iwer' });
  assert.equal(outcome('DEBUG', true), { shown: 'wer', kept: 'diwer' });
  assert.equal(outcome('CRITICAL', true), { shown: 'r', kept: 'iwer' });
});

logging('puts time and severity before a kept line', () => {
  const folder = mkdtempSync(join(root, 'run-'));
  const logger = openLogger({ folder, state: 'INFO', quiet: false, print() {} });
  logger.warning('two words');
  assert.match(
    readFileSync(join(folder, 'run.log'), 'utf8'),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z WARNING two words\n$/,
  );
  logger.destroy();
});

logging('appends metrics as JSON lines that are on the disk at once', () => {
  const folder = mkdtempSync(join(root, 'run-'));
  const logger = openLogger({ folder, state: 'INFO', quiet: true, print() {} });
  logger.metrics({ event: 'epoch', epoch: 0, loss: 0.5, bad: [Number.NaN, -Infinity] });
  logger.metrics({ event: 'valid', auc: 0.78 });
  const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const { time, ...rest } = first;
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.equal(rest, { event: 'epoch', epoch: 0, loss: 0.5, bad: ['NaN', '-Infinity'] });
  assert.is(second.auc, 0.78);
  logger.destroy();
});

logging('takes away the start of a line that was cut short, and goes on behind whole ones', () => {
  const folder = mkdtempSync(join(root, 'run-'));
  writeFileSync(join(folder, 'metrics.jsonl'), '{"a":1}\n{"b":');
  writeFileSync(join(folder, 'run.log'), 'half');
  const logger = openLogger({ folder, state: 'INFO', quiet: true, print() {} });
  logger.metrics({ c: 3 });
  logger.info('whole');
  logger.destroy();
  assert.match(
    readFileSync(join(folder, 'metrics.jsonl'), 'utf8'),
    /^\{"a":1\}\n\{"time":"[^"]+","c":3\}\n$/,
  );
  assert.match(readFileSync(join(folder, 'run.log'), 'utf8'), /^\S+ INFO whole\n$/);
});

logging('keeps why a run ends without showing it', () => {
  const folder = mkdtempSync(join(root, 'run-'));
  const shown: string[] = [];
  const logger = openLogger({ folder, state: 'DEBUG', quiet: false, print: (line) => shown.push(line) });
  logger.fatal('train: no space left');
  logger.destroy();
  assert.match(readFileSync(join(folder, 'run.log'), 'utf8'), /^\S+ CRITICAL train: no space left\n$/);
  assert.equal(shown, []);
});

skipUnless(['/dev/full'], logging, 'fails on a full disk, but not where it says that it is full', () => {
  const folder = mkdtempSync(join(root, 'run-'));
  symlinkSync('/dev/full', join(folder, 'run.log'));
  const logger = openLogger({ folder, state: 'INFO', quiet: true, print() {} });
  assert.throws(() => logger.info('a'), /ENOSPC/);
  logger.fatal('b');
  logger.destroy();
});

logging('writes no files without a folder', () => {
  const shown: string[] = [];
  const logger = openLogger({ folder: null, state: 'INFO', quiet: false, print: (line) => shown.push(line) });
  logger.info('a');
  logger.metrics({ a: 1 });
  logger.destroy();
  assert.equal(shown, ['a']);
});

logging('names the folder that is not there', () => {
  const folder = join(root, 'gone');
  assert.throws(() => openLogger({ folder, state: 'INFO', quiet: false }), /ENOENT.*gone/);
});

logging.run();

const lines = suite('lines');

lines('read as those of RecBole', () => {
  assert.is(trainingLine(0, 0.321, 13.12341, 4), 'epoch 0 training [time: 0.32s, train loss: 13.1234]');
  assert.is(
    trainingLine(3, 1, [1, 0.5], 2),
    'epoch 3 training [time: 1.00s, train_loss1: 1.00, train_loss2: 0.50]',
  );
  assert.is(evaluatingLine(0, 0.05, 0.7831), 'epoch 0 evaluating [time: 0.05s, valid_score: 0.783100]');
  const metrics = { AUC: 0.78312, LogLoss: 0.5612 };
  assert.is(resultLine('valid result', metrics, 4), 'valid result: auc : 0.7831    logloss : 0.5612');
});

lines.run();
