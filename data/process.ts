import { existsSync, readFileSync } from 'node:fs';

/** Whether a number that a program of ours left in a lock is still that of a running one. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not ours to signal, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const commandLine = `/proc/${pid}/cmdline`;
  // Where the system tells, a number that went to another program, or to a dead child, is not ours.
  return !existsSync(commandLine) || readFileSync(commandLine, 'latin1').includes('node');
}
