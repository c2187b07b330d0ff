import type { Builder, Ref } from './builder.js';
import type { Lane, Leaf, Term, Word } from './values.js';

const sameTerms = (a: readonly Term[], b: readonly Term[]): boolean =>
  a.length === b.length && a.every(({ leaf, scale }, i) => leaf === b[i].leaf && scale === b[i].scale);

/** Whether `next` stands `count` floats behind `word`. */
const follows = (next: Word, word: Word, count: number): boolean =>
  next.base === word.base &&
  next.stride === word.stride &&
  sameTerms(next.terms, word.terms) &&
  next.at === word.at + 4 * count;

/** Loads four floats that stand one behind the other as one vec4; undefined if they do not. */
export function loadFour(leaves: readonly Leaf[]): (() => Ref) | undefined {
  const words = leaves.map(({ word }) => word);
  const [first] = words;
  const together = words.every((one, i) => one !== undefined && first && follows(one, first, i));
  return together && words.length === 4 ? first?.loadFour : undefined;
}

/** Lanes that were stored by the last statements of a block. */
interface Pending {
  readonly word: Word;
  readonly lane: Lane;
  readonly count: number;
  readonly block: readonly Ref[];
  readonly position: number;
}

/** Finds stores of the four lanes of one vec4 to four floats, one behind the other. */
export class LaneStores {
  private pending: Pending | undefined;

  constructor(private readonly builder: Builder) {}

  /** Notes the last statement, a store of a lane; where the first of a vec4 stands if it is the fourth of that. */
  complete(word: Word, lane: Lane): Word | undefined {
    const { current: block, position } = this.builder;
    const before = this.pending;
    const continues =
      before !== undefined &&
      before.block === block &&
      before.position === position - 1 &&
      before.lane.of === lane.of &&
      before.count === lane.at &&
      follows(word, before.word, lane.at);
    this.pending = undefined;
    if (!continues && lane.at > 0) return undefined;
    if (continues && lane.at === 3) return before.word;
    const first = continues ? before : { word, lane };
    this.pending = { ...first, count: lane.at + 1, block, position };
    return undefined;
  }
}
