import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareReports, formatComparison, type WrittenReport } from '../../bench/compare.js';
import type { KernelRow } from '../../bench/report.js';
import { node } from '../support/train.js';

const kernel = (name: string, minMs: number, medianMs = minMs): KernelRow => ({
  ...{ name, shape: '[3]', minMs, medianMs, p95Ms: medianMs, cpuMs: minMs },
  ...{ gbPerS: 1, gflopPerS: 1, ofPeak: 1, ofCopy: 1, gflopPerThread: 1 },
});
const kernels = (...list: readonly KernelRow[]): WrittenReport => ({ device: 'a', kernels: list });

const compared = suite('compareReports');

compared('calls slower or faster what minimum and median agree on', () => {
  const old = kernels(kernel('a', 10), kernel('b', 10), kernel('c', 10), kernel('d', 10), kernel('e', 10));
  const now = kernels(
    kernel('a', 12),
    kernel('b', 10.9),
    kernel('c', 8, 9),
    kernel('d', 9, 12),
    kernel('e', 9.5, 8),
  );
  const { changes } = compareReports(old, now, 0.1);
  assert.equal(
    changes.map(({ name, verdict }) => [name, verdict]),
    [
      ['a, [3]', 'slower'],
      ['b, [3]', ''],
      ['c, [3]', 'faster'],
      ['d, [3]', ''],
      ['e, [3]', ''],
    ],
  );
  assert.equal([changes[0].min, changes[3].median], [1.2, 1.2]);
  assert.is(compareReports(old, now, 0.3).changes.filter(({ verdict }) => verdict !== '').length, 0);
});

compared('pairs all parts by name, and says what has no pair', () => {
  const times = { minMs: 1, medianMs: 2, p95Ms: 3, cpuMs: 4 };
  const rival = { ...times, name: 'FM', shape: 'B 3', isTorch: false, steps: 1 };
  const load = { ...times, name: 'atomic files', shape: '5 rows' };
  const old: WrittenReport = {
    kernels: [kernel('a', 1), kernel('a', 2)],
    rivals: [{ ...rival, rival: 'x' }],
    starts: [{ name: 's', ms: 4, medianMs: 5 }],
  };
  const now: WrittenReport = {
    kernels: [kernel('a', 2), kernel('a', 4)],
    rivals: [{ ...rival, rival: 'y' }],
    starts: [{ name: 's', ms: 4, medianMs: 5 }],
    loads: [load],
  };
  const { changes, gone, added } = compareReports(old, now, 0.1);
  assert.equal(
    changes.map(({ part, name, min }) => [part, name, min]),
    [
      ['kernels', 'a, [3]', 2],
      ['kernels', 'a, [3] (2)', 2],
      ['starts', 's', 1],
    ],
  );
  assert.equal(gone, ['rivals: FM, B 3, x']);
  assert.equal(added, ['loads: atomic files, 5 rows', 'rivals: FM, B 3, y']);
});

compared('comes to a table and a summary', () => {
  const comparison = compareReports(
    kernels(kernel('a', 1), kernel('b', 1)),
    kernels(kernel('a', 2), kernel('b', 2)),
    0.1,
  );
  const lines = formatComparison(comparison, 0.1).split('\n');
  assert.match(lines[1], /^kernels {2}a, \[3\] +1\.000 +2\.000 +2\.00 +2\.00 +slower$/);
  assert.is(lines.at(-2), 'kernels: 2 compared, medians × 2.00 in the geometric mean');
  assert.is(lines.at(-1), '2 slower, 0 faster, 0 within 10 %');
});

const command = suite('bench/compare.js');
const folder = mkdtempSync(join(tmpdir(), 'compare-'));
const write = (name: string, content: unknown) => writeFileSync(join(folder, name), JSON.stringify(content));
const run = (...argv: readonly string[]) => node(folder, [resolve('bench/compare.js'), ...argv]);

command('ends with 1 if something has become slower, else with 0', async () => {
  write('old.json', kernels(kernel('a', 10)));
  write('new.json', { ...kernels(kernel('a', 12)), device: 'b' });
  const slower = await run('old.json', 'new.json');
  assert.equal([slower.code, slower.err], [1, '']);
  assert.match(slower.out, /^devices differ: a and b\n[^]*1 slower, 0 faster, 0 within 10 %\n$/);
  assert.is((await run('new.json', 'old.json')).code, 0);
  assert.is((await run('old.json', 'new.json', '--threshold=25')).code, 0);
});

command('ends with 2 and the reason if it cannot tell', async () => {
  write('none.json', kernels());
  write('other.json', []);
  for (const [argv, message] of [
    [['old.json'], /^compare: 1 reports, want two; usage: /],
    [['old.json', 'no.json'], /^compare: no\.json: ENOENT/],
    [['old.json', 'other.json'], /^compare: other\.json: is no report; /],
    [['old.json', 'none.json'], /^compare: old\.json and none\.json: have no measurement in common/],
    [['old.json', 'new.json', '--threshold=x'], /^compare: --threshold=x: is no percentage; /],
    [['old.json', 'new.json', '--all'], /^compare: Unknown option '--all'/],
  ] as const) {
    const { code, out, err } = await run(...argv);
    assert.equal([code, out], [2, '']);
    assert.match(err, message);
  }
});

command.after(() => rmSync(folder, { recursive: true, force: true }));
for (const one of [compared, command]) one.run();
