import { hasFailed, pieceCount, piecesPerThread, words } from './control.js';

/** How the threads of a device work together. */
export interface TeamSetup {
  readonly control: Int32Array;
  /** The leader and its helpers. */
  readonly threads: number;
  /**
   * How long a thread looks again and again before it sleeps. Waking a thread takes some 50 µs, looking takes a core:
   * 0 where there are more threads than cores.
   */
  readonly spinMs: number;
}

/** Looks at a word until it differs from `seen`; false if that takes too long. */
function changes(control: Int32Array, word: number, seen: number, spinMs: number): boolean {
  if (Atomics.load(control, word) !== seen) return true;
  if (spinMs === 0) return false;
  const end = performance.now() + spinMs;
  do {
    for (let i = 0; i < 100; i++) if (Atomics.load(control, word) !== seen) return true;
  } while (performance.now() < end);
  return false;
}

/** Waits until the host has posted more than the `seen` orders. */
export function awaitOrder({ control, spinMs }: TeamSetup, seen: number): void {
  if (!changes(control, words.posted, seen, spinMs)) Atomics.wait(control, words.posted, seen);
}

/** Runs the workgroups first … last-1 of a command. */
export type RunGroups = (entry: number, record: number, first: number, last: number) => void;

/**
 * Takes pieces of the parallel command number `begun`, the thread's own before those of others, and runs them, until
 * none is left. A piece is taken only for the command that follows the last one it was taken for: who comes late finds
 * nothing, whatever goes on by then. Returns pieces and workgroups done.
 */
function work(setup: TeamSetup, thread: number, begun: number, run: RunGroups): readonly [number, number] {
  const { control, threads } = setup;
  const entry = Atomics.load(control, words.entry);
  const record = Atomics.load(control, words.record);
  const groups = Atomics.load(control, words.groups) >>> 0;
  const pieces = pieceCount(threads);
  const before = (begun - 1) | 0;
  let [done, doneGroups] = [0, 0];
  for (let i = 0, piece = thread * piecesPerThread(threads); i < pieces; i++, piece++) {
    if (piece === pieces) piece = 0;
    const at = words.taken + piece;
    if (Atomics.load(control, at) !== before) continue;
    if (Atomics.compareExchange(control, at, before, begun) !== before) continue;
    const first = Math.floor((groups * piece) / pieces);
    const last = Math.floor((groups * (piece + 1)) / pieces);
    if (last > first) run(entry, record, first, last);
    done++;
    doneGroups += last - first;
  }
  return [done, doneGroups];
}

/**
 * The leader's side: it alone decides what runs when. A command begins when all pieces of the one before are done;
 * commands that the leader runs alone lie between two of them, so that they cost its helpers nothing. It never waits
 * for a helper that has not begun: it does all pieces itself that nobody else has taken.
 */
export class Leader {
  private begun = 0;

  constructor(private readonly setup: TeamSetup) {}

  /** Waits until all pieces of everything begun are done. False if something failed. */
  gather(): boolean {
    const { control, spinMs, threads } = this.setup;
    const target = Math.imul(this.begun, pieceCount(threads));
    for (;;) {
      const seen = Atomics.load(control, words.finished);
      if (seen === target) return !hasFailed(control);
      // It waits for pieces that are being worked on, and everybody waits for it.
      if (changes(control, words.finished, seen, 4 * spinMs)) continue;
      Atomics.store(control, words.leaderAsleep, 1);
      Atomics.wait(control, words.finished, seen);
      Atomics.store(control, words.leaderAsleep, 0);
    }
  }

  /**
   * Begins a command and works on it with the helpers that are awake, and `wake` of those that are not; returns the
   * workgroups it did itself.
   */
  share(entry: number, record: number, groups: number, wake: number, run: RunGroups): number {
    const { control } = this.setup;
    Atomics.store(control, words.entry, entry);
    Atomics.store(control, words.record, record);
    Atomics.store(control, words.groups, groups);
    this.begun = (this.begun + 1) | 0;
    Atomics.store(control, words.begun, this.begun);
    const asleep = wake > 0 && Atomics.load(control, words.helpersAsleep) > 0;
    if (asleep) Atomics.notify(control, words.begun, wake);
    const [done, doneGroups] = work(this.setup, 0, this.begun, run);
    Atomics.add(control, words.finished, done);
    return doneGroups;
  }
}

/** A helper's side: it works on whatever the leader has begun, for ever. */
export function help(setup: TeamSetup, thread: number, run: RunGroups): never {
  const { control, spinMs, threads } = setup;
  let begun = 0;
  for (;;) {
    while (!changes(control, words.begun, begun, spinMs)) {
      Atomics.add(control, words.helpersAsleep, 1);
      Atomics.wait(control, words.begun, begun);
      Atomics.sub(control, words.helpersAsleep, 1);
    }
    begun = Atomics.load(control, words.begun);
    const [done] = work(setup, thread, begun, run);
    if (done === 0) continue;
    const finished = (Atomics.add(control, words.finished, done) + done) | 0;
    const last = finished === Math.imul(begun, pieceCount(threads));
    if (last && Atomics.load(control, words.leaderAsleep) === 1) Atomics.notify(control, words.finished);
  }
}
