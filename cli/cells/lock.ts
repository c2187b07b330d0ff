import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { isAlive } from '../../data/process.js';
import { ConfigError } from '../errors.js';

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** Who wrote the lock, if that process is at work on this machine; of others the scheduler knows. */
function holderOf(path: string): Holder | null {
  if (!existsSync(path)) return null;
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder;
    return holder.host === hostname() && isAlive(holder.pid) ? holder : null;
  } catch (error) {
    // Half a lock is that of a process that was killed as it wrote it.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const waitMs = 60_000;
const pollMs = 50;

/** Notes that process `pid` works on what `path` stands for. */
export function writeLock(path: string, pid = process.pid): void {
  writeFileSync(path, JSON.stringify({ pid, host: hostname() }));
}

/** Claims `path` for this process. Throws ConfigError if another one has it. */
export function takeLock(path: string): { release(): void } {
  const holder = holderOf(path);
  if (holder !== null && holder.pid !== process.pid) {
    throw new ConfigError(`${path}: process ${holder.pid} is at work on it; wait for it, or end it`);
  }
  writeLock(path);
  return { release: () => rmSync(path, { force: true }) };
}

/** Waits for a process whose parent was killed to see that, save and end. Throws ConfigError after a minute. */
export async function waitForLock(path: string): Promise<void> {
  for (let waited = 0; holderOf(path) !== null; waited += pollMs) {
    if (waited >= waitMs) {
      throw new ConfigError(`${path}: process ${holderOf(path)?.pid} is still at work on this cell; end it`);
    }
    await setTimeout(pollMs);
  }
  rmSync(path, { force: true });
}
