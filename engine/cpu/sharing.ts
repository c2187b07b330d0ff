/** Repetitions that a trial gives each way. The first finds caches as the other way left them, and does not count. */
const tried = 3;
/** Repetitions of a submission that holds a trial, and goes on by what it says. */
const fewest = 2 * tried + 2;
/** A repetition that takes one thread longer than this always pays to share. */
const mostNs = 4e6;
/** Trials are few: in the 1st, 2nd, 4th, 8th and every 16th submission. */
const rare = 16;
const isDue = (submission: number): boolean =>
  submission % rare === 0 || (submission < rare && (submission & (submission - 1)) === 0);
/** How much longer than the leader alone a shared repetition may seem to take: a trial is short, and its times vary. */
const tolerance = 1.1;

/**
 * Whether helpers pay for a list of short commands, found out by trying. Where two cores have no cache in common, what one
 * has written costs the other so much that a step of small kernels takes both longer than one of them; and a virtual
 * machine's cores are moved about while it runs, so that it is tried again and again.
 */
export class Sharing {
  private submissions = 0;
  private pays = true;
  private trying = false;
  private readonly best = { shared: Infinity, alone: Infinity };

  /** A submission of so many repetitions begins, each expected to take one thread so long. */
  begin(times: number, expectedNs: number): void {
    const isLong = expectedNs > mostNs;
    if (isLong) this.pays = true;
    this.trying = !isLong && times >= fewest && isDue(++this.submissions);
    this.best.shared = this.best.alone = Infinity;
  }

  /** Whether repetition `time` of the submission, counted from 0, is shared. */
  shares(time: number): boolean {
    return this.trying && time > 0 ? time <= tried : this.pays;
  }

  /** Repetition `time` has taken so long. */
  took(time: number, ms: number): void {
    if (!this.trying || time === 0) return;
    const way = time <= tried ? 'shared' : 'alone';
    if (time % tried !== 1) this.best[way] = Math.min(this.best[way], ms);
    if (time < 2 * tried) return;
    this.pays = this.best.shared < tolerance * this.best.alone;
    this.trying = false;
  }
}
