import { inspect } from 'node:util';
import { isSystemError, plainMessage } from './errors.js';

/** What a shell reports for a process that was interrupted: 128 + SIGINT. */
const interruptedCode = 130;

/** What a failed command prints: one plain line for the user's errors, everything about ours. */
export function failureText(name: string, error: unknown): string {
  const plain = plainMessage(error);
  return plain === null ? `${name}: ${inspect(error)}` : `${name}: ${plain}`;
}

/** Prints why and ends; waits for the text to be out, which on some systems is written in the background. */
function fail(name: string, error: unknown): void {
  process.exitCode = 1;
  process.stderr.write(`${failureText(name, error)}\n`, () => process.exit(1));
}

/** A reader that has gone away (`| head`) is no failure. */
function guardOutput(name: string): void {
  process.stdout.on('error', (error) => {
    if (isSystemError(error) && error.code === 'EPIPE') process.exit(0);
    fail(name, error);
  });
  // Nobody can be told about a broken stderr.
  process.stderr.on('error', () => {});
}

/**
 * Runs a command's `main` with the arguments after the script, and sees to how it ends: 0, 1 after an error,
 * 130 after Ctrl-C. While somebody else listens for SIGINT (see `interruption`), Ctrl-C is theirs.
 */
export async function runCommand(name: string, main: (argv: string[]) => Promise<void>): Promise<void> {
  guardOutput(name);
  process.on('uncaughtException', (error) => fail(name, error));
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') === 1) process.exit(interruptedCode);
  });
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    fail(name, error);
  }
}

/** One chance to finish in an orderly way after Ctrl-C. */
export interface Interruption {
  /** Aborted by the first Ctrl-C; the second ends the process with 130. */
  readonly signal: AbortSignal;
  /** Gives Ctrl-C back. */
  destroy(): void;
}

/** Catches the first Ctrl-C. Whoever stops early because of it sets `process.exitCode` to 130. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once('SIGINT', abort);
  return { signal: controller.signal, destroy: () => void process.off('SIGINT', abort) };
}
