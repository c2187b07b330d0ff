import { OutsideError, fail, hasFailed } from './control.js';
import { commandWords, type Definition, type ThreadSetup } from './orders.js';
import { Sharing } from './sharing.js';
import { Leader, type RunGroups } from './team.js';

type Entry = (record: number, first: number, last: number) => void;

/** Byte of a record at which the leader notes how long the command takes a single thread, in nanoseconds. */
const estimateByte = 12;

/** The kernels as one thread has them. */
export class Kernels {
  private readonly entries: Entry[] = [];

  constructor(
    private readonly setup: ThreadSetup,
    /** The next definition that the host has posted. */
    private readonly receive: () => Definition,
  ) {}

  define({ module, first, entries }: Definition): void {
    const fail = (binding: number, index: number) => {
      throw new OutsideError(binding, index >>> 0);
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.setup.memory, fail } });
    entries.forEach((name, i) => (this.entries[first + i] = exports[name] as Entry));
  }

  /** Runs some workgroups of a command; writes down what goes wrong. */
  run(entry: number, record: number, first: number, last: number): void {
    // The host posts a definition before anything that uses it.
    while (this.entries.length <= entry) this.define(this.receive());
    try {
      this.entries[entry](record, first, last);
    } catch (error) {
      fail(this.setup.control, record, error);
    }
  }
}

/** Work for which it is worth waking a helper, which takes some 50 µs. */
const wakingNs = 50_000;

/**
 * Runs lists of commands. A command that takes one thread less than `smallNs` is run by the leader alone: sharing it
 * would take longer. How long commands take is found out by the way: each submission times its first repetition; and
 * whether sharing pays at all, see Sharing. No result depends on who runs what.
 */
export class Executor {
  private readonly leader: Leader;
  private readonly runGroups: RunGroups;
  /** Of lists by their first record. */
  private readonly sharings = new Map<number, Sharing>();
  /** Helpers that the next shared command is to wake, whatever its size. */
  private wake = 0;
  /** Whether the repetition at hand is shared. */
  private shares = true;

  constructor(
    private readonly setup: ThreadSetup,
    kernels: Kernels,
  ) {
    this.leader = new Leader(setup);
    this.runGroups = (entry, record, first, last) => kernels.run(entry, record, first, last);
  }

  /** Runs a list, `times` over. Stops when something fails. */
  run(list: Int32Array, times: number): void {
    const estimates = this.estimates();
    const expected = expectedNs(list, estimates);
    const sharing = this.sharingOf(list);
    sharing?.begin(times, expected);
    this.wake = Math.floor((times * expected) / wakingNs);
    for (let time = 0; time < times && !hasFailed(this.setup.control); time++) {
      this.shares = sharing?.shares(time) ?? true;
      const start = performance.now();
      if (time === 0) this.runTimed(list, estimates);
      else this.runOnce(list, estimates);
      this.leader.gather();
      sharing?.took(time, performance.now() - start);
    }
    this.shares = true;
  }

  /** Undefined where all that can be is shared. */
  private sharingOf(list: Int32Array): Sharing | undefined {
    const { threads, smallNs } = this.setup;
    if (threads === 1 || smallNs === 0) return undefined;
    const known = this.sharings.get(list[1]);
    if (known !== undefined) return known;
    const made = new Sharing();
    this.sharings.set(list[1], made);
    return made;
  }

  private runOnce(list: Int32Array, estimates: Uint32Array): void {
    for (let at = 0; at < list.length; at += commandWords) {
      if (!this.leader.gather()) return;
      const record = list[at + 1];
      this.command(list[at], record, list[at + 2], estimates[(record + estimateByte) >>> 2]);
    }
  }

  /** Start and end of each command, in milliseconds; helpers may still be at work at its end. */
  private runTimed(list: Int32Array, estimates: Uint32Array): Float64Array {
    const times = new Float64Array((2 * list.length) / commandWords);
    for (let at = 0, i = 0; at < list.length; at += commandWords, i += 2) {
      const [entry, record, groups] = [list[at], list[at + 1], list[at + 2]];
      if (!this.leader.gather()) break;
      const word = (record + estimateByte) >>> 2;
      times[i] = performance.now();
      const done = this.command(entry, record, groups, estimates[word]);
      times[i + 1] = performance.now();
      const ns = (1e6 * (times[i + 1] - times[i]) * groups) / done;
      if (done > 0) estimates[word] = Math.max(1, Math.min(4e9, ns));
    }
    return times;
  }

  /** See Device.profile: each command from its begin until all threads have done with it. */
  profile(list: Int32Array): Float64Array {
    const times: number[] = [];
    const estimates = this.estimates();
    for (let at = 0; at < list.length; at += commandWords) {
      const one = this.runTimed(list.subarray(at, at + commandWords), estimates);
      this.leader.gather();
      times.push(one[0], performance.now());
    }
    return Float64Array.from(times);
  }

  private estimates(): Uint32Array {
    return new Uint32Array(this.setup.memory.buffer);
  }

  /** Runs a command, which is for all threads if it is large or has never run; returns the workgroups done here. */
  private command(entry: number, record: number, groups: number, estimateNs: number): number {
    const { threads, smallNs } = this.setup;
    if (threads === 1 || groups === 1 || !this.shares || (estimateNs !== 0 && estimateNs < smallNs)) {
      this.runGroups(entry, record, 0, groups);
      return groups;
    }
    const wake = Math.max(this.wake, Math.floor(estimateNs / wakingNs));
    this.wake = 0;
    return this.leader.share(entry, record, groups, wake, this.runGroups);
  }
}

/** What a list is expected to take one thread. Commands that have never run count as worth a helper. */
function expectedNs(list: Int32Array, estimates: Uint32Array): number {
  let sum = 0;
  for (let at = 1; at < list.length; at += commandWords) {
    sum += estimates[(list[at] + estimateByte) >>> 2] || wakingNs;
  }
  return sum;
}
