/**
 * A wrong option, option value or configuration file. The command line prints the message alone and exits
 * with 1.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Errors that are the user's to mend, by class name: their message says what to do, a stack would only bury
 * it. Names rather than classes, so that printing an error never loads the engine.
 */
const plainErrors: ReadonlySet<string> = new Set([
  'ConfigError',
  'DataError',
  'ShapeError',
  'KernelError',
  'DeviceError',
  'AdapterError',
  'NonFiniteLoss',
  'CheckpointError',
]);

/** What the system said, and what helps, for failures of files and pipes that are not our bug. */
const systemRemedies: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device; free some, or write elsewhere with --checkpoint_dir or --output',
  EDQUOT: 'the disk quota is used up; free some, or write elsewhere with --checkpoint_dir or --output',
  EACCES: 'permission denied; change its mode or owner, or choose another path',
  EPERM: 'operation not permitted; change its mode or owner, or choose another path',
  EROFS: 'the file system is read-only; choose another path',
  ENOENT: 'no such file or directory; check the path',
  EEXIST: 'is there already; choose another path',
  EISDIR: 'is a directory; give a file',
  ENOTDIR: 'a part of the path is a file; check the path',
  EMFILE: 'too many open files; raise the limit with ulimit -n',
};

/** True for Node's errors of system calls, which carry a code and mostly a path. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/**
 * What to print for an error that is the user's to mend; null for our own mistakes, which keep their stack.
 */
export function plainMessage(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (plainErrors.has(error.name)) return error.message;
  if (!isSystemError(error) || error.code === undefined) return null;
  const remedy = systemRemedies[error.code];
  // Without a path (a write to an open descriptor) the call says at least what was tried.
  return remedy === undefined
    ? null
    : `${error.path ?? error.syscall ?? 'system'}: ${remedy} (${error.code})`;
}
