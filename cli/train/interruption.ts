import { interruption } from '../command.js';

/** A wish to stop early, by Ctrl-C or SIGTERM. */
export interface Stop {
  readonly signal: AbortSignal;
  /** What a shell reports for a process that ended so: 128 + the number of the signal. */
  exitCode(): number;
  /** Gives both signals back. */
  destroy(): void;
}

/** Catches the first Ctrl-C or SIGTERM; a second one ends the process. */
export function catchStop(): Stop {
  const interrupted = interruption();
  const terminated = new AbortController();
  const terminate = () => terminated.abort();
  process.once('SIGTERM', terminate);
  return {
    signal: AbortSignal.any([interrupted.signal, terminated.signal]),
    exitCode: () => (terminated.signal.aborted ? 143 : 130),
    destroy() {
      interrupted.destroy();
      process.off('SIGTERM', terminate);
    },
  };
}
