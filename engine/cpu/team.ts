import { hasFailed, words } from './control.js';

/** How the threads of a device wait for each other. */
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

/**
 * The leader's side: it alone decides what runs when. A parallel command begins when all shares of the one before are
 * done; commands that the leader runs alone lie between the two, so that they cost its helpers nothing.
 */
export class Leader {
  private begun = 0;

  constructor(private readonly setup: TeamSetup) {}

  private get target(): number {
    return Math.imul(this.begun, this.setup.threads - 1);
  }

  /** Waits until the helpers have done their shares of everything begun. False if something failed. */
  gather(): boolean {
    const { control, spinMs } = this.setup;
    const { target } = this;
    for (;;) {
      const seen = Atomics.load(control, words.arrived);
      if (seen === target) return !hasFailed(control);
      if (changes(control, words.arrived, seen, spinMs)) continue;
      Atomics.store(control, words.leaderAsleep, 1);
      Atomics.wait(control, words.arrived, seen);
      Atomics.store(control, words.leaderAsleep, 0);
    }
  }

  /** Lets the helpers begin their shares. */
  begin(entry: number, record: number, groups: number): void {
    const { control } = this.setup;
    control[words.entry] = entry;
    control[words.record] = record;
    control[words.groups] = groups;
    this.begun = (this.begun + 1) | 0;
    Atomics.store(control, words.begun, this.begun);
    if (Atomics.load(control, words.helpersAsleep) > 0) Atomics.notify(control, words.begun);
  }
}

/** A helper's side: it waits for a command, does its share, and says so. */
export class Helper {
  private begun = 0;

  constructor(private readonly setup: TeamSetup) {}

  /** Waits for the next parallel command. */
  next(): void {
    const { control, spinMs } = this.setup;
    while (!changes(control, words.begun, this.begun, spinMs)) {
      Atomics.add(control, words.helpersAsleep, 1);
      Atomics.wait(control, words.begun, this.begun);
      Atomics.sub(control, words.helpersAsleep, 1);
    }
    this.begun = (this.begun + 1) | 0;
  }

  /** Its share is done. */
  arrive(): void {
    const { control, threads } = this.setup;
    const arrived = (Atomics.add(control, words.arrived, 1) + 1) | 0;
    const last = arrived === Math.imul(this.begun, threads - 1);
    if (last && Atomics.load(control, words.leaderAsleep) === 1) Atomics.notify(control, words.arrived);
  }
}
