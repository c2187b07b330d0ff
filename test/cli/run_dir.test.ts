import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeRunDir, timestamp } from '../../cli/run_dir.js';

const folder = mkdtempSync(join(tmpdir(), 'ctr-runs-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const now = new Date(2026, 0, 31, 9, 5, 0, 7);

const stamping = suite('timestamp');

stamping('is local time to the millisecond', () => {
  assert.is(timestamp(now), '2026-01-31_09-05-00-007');
});

stamping.run();

const making = suite('makeRunDir');

making('makes the folder of runs and one for this run', () => {
  const made = makeRunDir(join(folder, 'a', 'b'), 'FM', 'ml-1m', now);
  assert.is(made, join(folder, 'a', 'b', 'FM-ml-1m-2026-01-31_09-05-00-007'));
  assert.ok(existsSync(made));
});

making('gives runs of the same moment folders of their own', () => {
  const names = [1, 2, 3].map(() => basename(makeRunDir(folder, 'FM', 'toy', now)));
  const base = 'FM-toy-2026-01-31_09-05-00-007';
  assert.equal(names, [base, `${base}-1`, `${base}-2`]);
});

making.run();
