import { OutsideError, fail, hasFailed, words } from './control.js';
import { commandWords, type Definition, type ThreadSetup } from './orders.js';
import { Helper, Leader } from './team.js';

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

/** The workgroups of a thread: contiguous pieces of equal size, within one. */
const shareStart = (groups: number, thread: number, threads: number): number =>
  Math.floor((groups * thread) / threads);

/** Does a helper's shares of parallel commands, for ever. */
export function help(setup: ThreadSetup, kernels: Kernels, thread: number): never {
  const { control, threads } = setup;
  const helper = new Helper(setup);
  for (;;) {
    helper.next();
    const groups = control[words.groups] >>> 0;
    const first = shareStart(groups, thread, threads);
    const last = shareStart(groups, thread + 1, threads);
    if (last > first) kernels.run(control[words.entry], control[words.record], first, last);
    helper.arrive();
  }
}

/**
 * Runs lists of commands. A command that takes one thread less than `smallNs` is run by the leader alone: sharing it
 * would take longer. How long commands take is found out by the way: each submission times its first repetition. No
 * result depends on who runs what.
 */
export class Executor {
  private readonly leader: Leader;

  constructor(
    private readonly setup: ThreadSetup,
    private readonly kernels: Kernels,
  ) {
    this.leader = new Leader(setup);
  }

  /** Runs a list, `times` over. Stops when something fails. */
  run(list: Int32Array, times: number): void {
    const estimates = this.estimates();
    for (let time = 0; time < times && !hasFailed(this.setup.control); time++) {
      if (time === 0) this.runTimed(list, estimates);
      else this.runOnce(list, estimates);
    }
    this.leader.gather();
  }

  private runOnce(list: Int32Array, estimates: Uint32Array): void {
    for (let at = 0; at < list.length; at += commandWords) {
      const [entry, record, groups] = [list[at], list[at + 1], list[at + 2]];
      if (!this.leader.gather()) return;
      if (this.shares(groups, estimates[(record + estimateByte) >>> 2])) this.share(entry, record, groups);
      else this.kernels.run(entry, record, 0, groups);
    }
  }

  /** Start and end of each command, in milliseconds. */
  private runTimed(list: Int32Array, estimates: Uint32Array): Float64Array {
    const times = new Float64Array((2 * list.length) / commandWords);
    for (let at = 0, i = 0; at < list.length; at += commandWords, i += 2) {
      const [entry, record, groups] = [list[at], list[at + 1], list[at + 2]];
      if (!this.leader.gather()) break;
      const word = (record + estimateByte) >>> 2;
      const shared = this.shares(groups, estimates[word]);
      times[i] = performance.now();
      const own = shared ? this.share(entry, record, groups) : groups;
      if (!shared) this.kernels.run(entry, record, 0, groups);
      times[i + 1] = performance.now();
      estimates[word] = Math.max(1, Math.min(4e9, (1e6 * (times[i + 1] - times[i]) * groups) / own));
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

  /** Whether a command is for all threads. One that has never run is. */
  private shares(groups: number, estimateNs: number): boolean {
    const { threads, smallNs } = this.setup;
    return threads > 1 && groups > 1 && (estimateNs === 0 || estimateNs >= smallNs);
  }

  /** Runs a command on all threads; returns the workgroups that the leader did. */
  private share(entry: number, record: number, groups: number): number {
    const { threads } = this.setup;
    this.leader.begin(entry, record, groups);
    const first = shareStart(groups, threads - 1, threads);
    this.kernels.run(entry, record, first, groups);
    return groups - first;
  }
}
