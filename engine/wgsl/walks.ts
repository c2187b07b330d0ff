import type { Builder } from './builder.js';
import type { Address, AddressWalks, Leaf, Sum, Term, Values } from './values.js';

/** A pointer that goes along with a counter. */
interface Walk {
  /** Local with the address of the buffer. */
  readonly base: number;
  /** What is added to it, times `stride`: the counter, and what is the same in all rounds. */
  readonly terms: readonly Term[];
  readonly stride: number;
  /** Bytes that it moves in a round. */
  readonly bytes: number;
  /** Rounds after which it moves. */
  readonly every: number;
  readonly local: number;
}

/** Pointers of one loop: more would not stay in registers. */
const mostWalks = 8;
/**
 * V8 puts the offset of a load into all lanes in a register of its own: those of at most this many bytes are few and stay
 * there.
 */
const mostSplatOffset = 16;
/** Offsets beyond this are not put into instructions. */
const mostBytes = 2 ** 30;

/**
 * Addresses in a loop of several rounds a turn that are sums of its counter and of what does not change: each is a
 * pointer that moves once a turn, and the rest is in the offset of the instruction.
 */
export class Walks implements AddressWalks {
  private readonly made: Walk[] = [];
  private round = 0;

  constructor(
    private readonly values: Values,
    private readonly counter: Leaf,
    /** By how much the counter grows in a round. */
    private readonly step: number,
    /** Rounds in one turn, a power of two. */
    private readonly rounds: number,
    /** Of the loop that counts. */
    private readonly depth: number,
  ) {}

  private get builder(): Builder {
    return this.values.builder;
  }

  /** The pointer and offset of base + sum · stride + offset in the round at hand; undefined if no pointer walks there. */
  find(base: number, sum: Sum, stride: number, offset: number, splat: boolean): Address | undefined {
    const { terms } = sum;
    const own = terms.filter(({ leaf }) => leaf === this.counter);
    const fixed = terms.filter((term) => this.isFixed(term));
    const end = sum.plus * stride + offset;
    if (own.length !== 1 || own.length + fixed.length < terms.length) return undefined;
    const bytes = own[0].scale * this.step * stride;
    if (sum.subtracted || bytes <= 0 || bytes > mostBytes || end > mostBytes) return undefined;
    const every = splat ? this.roundsBetween(bytes) : this.rounds;
    const walk = this.known(base, terms, stride, every) ?? this.make({ base, terms, stride, bytes, every });
    if (walk === undefined) return undefined;
    const moved = this.round - (this.round % every);
    return { offset: end - moved * bytes, ptr: () => this.builder.get(walk.local) };
  }

  /** Whether a term is known before the loop, and stays. */
  private isFixed({ leaf, depth }: Term): boolean {
    return depth < this.depth && leaf.simple && leaf.stable && (leaf.since ?? 0) < this.depth;
  }

  private roundsBetween(bytes: number): number {
    let every = this.rounds;
    while (every > 1 && every * bytes > mostSplatOffset) every /= 2;
    return every;
  }

  private known(base: number, terms: readonly Term[], stride: number, every: number): Walk | undefined {
    const same = (one: Walk) =>
      one.terms.length === terms.length &&
      one.terms.every(({ leaf, scale }, i) => leaf === terms[i].leaf && scale === terms[i].scale);
    return this.made.find(
      (one) => one.base === base && one.stride === stride && one.every === every && same(one),
    );
  }

  /** None after the first round: the others have moved by then. */
  private make(walk: Omit<Walk, 'local'>): Walk | undefined {
    if (this.round > 0 || this.made.length === mostWalks) return undefined;
    const made = { ...walk, local: this.builder.local('i32') };
    this.made.push(made);
    return made;
  }

  /** Before the first round: sets the pointers to where the counter starts. */
  start(): void {
    for (const { base, terms, stride, local } of this.made) {
      const sum: Sum = { terms, plus: 0, subtracted: false };
      this.builder.set(local, this.values.writeSum(sum, stride, this.builder.get(base)));
    }
  }

  /** After a round: moves the pointers on. */
  advance(): void {
    const { i32 } = this.builder.module;
    this.round++;
    for (const { local, bytes, every } of this.made) {
      if (this.round % every > 0) continue;
      this.builder.set(local, i32.add(this.builder.get(local), i32.const(every * bytes)));
    }
  }
}
