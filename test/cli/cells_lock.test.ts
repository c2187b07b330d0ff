import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeLock, waitForLock, writeLock } from '../../cli/cells/lock.js';
import { temporaryFolder } from '../support/data_set.js';

const path = join(temporaryFolder(), 'lock');
const other = () => spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });

const lock = suite('takeLock');

lock('is refused while another process is at work, and not after it was killed', async () => {
  const child = other();
  writeLock(path, child.pid);
  assert.throws(() => takeLock(path), new RegExp(`lock: process ${child.pid} is at work on it; wait for it`));
  const gone = new Promise((done) => child.on('exit', done));
  child.kill('SIGKILL');
  await gone;
  takeLock(path).release();
  assert.not.ok(existsSync(path));
});

lock('takes no notice of half a lock, nor of one of another machine', () => {
  for (const content of ['{"pid":', JSON.stringify({ pid: process.ppid, host: `not-${hostname()}` })]) {
    writeFileSync(path, content);
    takeLock(path).release();
  }
});

lock.run();

const waiting = suite('waitForLock');

waiting('waits until the process has ended', async () => {
  const child = other();
  writeLock(path, child.pid);
  let told = false;
  setTimeout(() => (told = child.kill('SIGTERM')), 200);
  await waitForLock(path);
  // Its parent may hear of the end a little later than the system knows.
  assert.equal([told, existsSync(path)], [true, false]);
});

waiting.run();
