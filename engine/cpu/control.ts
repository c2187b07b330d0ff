/**
 * The words that all threads and the host share beside the linear memory. Words that different threads write lie on
 * cache lines of their own.
 */
const line = 16;

/** Places of the words in the control block. */
export const words = {
  /** Orders that the host has posted to the leader, and those that are done. */
  posted: 0,
  done: line,
  /** Parallel commands that the leader has begun, and which one it is. */
  begun: 2 * line,
  entry: 2 * line + 1,
  record: 2 * line + 2,
  groups: 2 * line + 3,
  /** Pieces of parallel commands that are done. */
  finished: 3 * line,
  /** Helpers that sleep until a command begins. */
  helpersAsleep: 4 * line,
  /** 1 while the leader sleeps until all pieces are done. */
  leaderAsleep: 5 * line,
  /** See `Failing`. */
  failing: 6 * line,
  failedRecord: 6 * line + 1,
  failedBinding: 6 * line + 2,
  failedIndex: 6 * line + 3,
  failedLength: 6 * line + 4,
  text: 7 * line,
  /** For each piece of a parallel command the last one of which it was taken. */
  taken: 23 * line,
} as const;

/** Characters that a failure's text is cut to. */
const textWords = words.taken - words.text;

/** The word `failing`: nothing failed, a thread is writing down what failed, it is written down. */
const failing = { nothing: 0, writing: 1, written: 2 } as const;

/** What a command came to. */
export interface Failure {
  /** Address of the command's record, by which the host knows it. */
  readonly record: number;
  /** The binding and the index beyond it, from a checked kernel. */
  readonly outside?: { readonly binding: number; readonly index: number };
  /** What WebAssembly says of a trap. */
  readonly text: string;
}

/** An index outside a storage buffer, thrown by `env.fail` of checked kernels. */
export class OutsideError extends Error {
  constructor(
    readonly binding: number,
    readonly index: number,
  ) {
    super(`index ${index} of binding ${binding}`);
  }
}

/** A control block for one device. */
export function makeControl(threads: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (words.taken + pieceCount(threads))));
}

/** Pieces that a thread takes first. Every thread looks at all of them, so of many threads each has fewer. */
export const piecesPerThread = (threads: number): number => (threads <= 8 ? 4 : threads <= 32 ? 2 : 1);

/** Pieces into which a parallel command is cut: several for each thread, so that who is late leaves its to others. */
export const pieceCount = (threads: number): number => piecesPerThread(threads) * threads;

/** Writes down what went wrong in a command, if nothing did before. From then on nothing more is run. */
export function fail(control: Int32Array, record: number, error: unknown): void {
  if (Atomics.compareExchange(control, words.failing, failing.nothing, failing.writing) !== failing.nothing)
    return;
  const outside = error instanceof OutsideError ? error : { binding: -1, index: 0 };
  const text = error instanceof Error ? error.message : String(error);
  const length = Math.min(text.length, textWords);
  control[words.failedRecord] = record;
  control[words.failedBinding] = outside.binding;
  control[words.failedIndex] = outside.index;
  control[words.failedLength] = length;
  for (let i = 0; i < length; i++) control[words.text + i] = text.charCodeAt(i);
  Atomics.store(control, words.failing, failing.written);
}

/** What a thread wrote down; undefined if nothing failed. */
export function failureIn(control: Int32Array): Failure | undefined {
  if (Atomics.load(control, words.failing) !== failing.written) return undefined;
  const length = control[words.failedLength];
  const binding = control[words.failedBinding];
  return {
    record: control[words.failedRecord] >>> 0,
    ...(binding >= 0 && { outside: { binding, index: control[words.failedIndex] >>> 0 } }),
    text: String.fromCharCode(...control.subarray(words.text, words.text + length)),
  };
}

/** Whether to stop: something failed, on whichever thread. */
export const hasFailed = (control: Int32Array): boolean =>
  Atomics.load(control, words.failing) !== failing.nothing;
