/** Numbers of which few enough are sorted by the engine's own sort sooner than their digits are counted. */
const FEW = 4096;
const NEGATIVE_ZERO = 0x80000000 | 0;

type Scores = Float32Array | Float64Array;
type Labels = Float32Array | Float64Array | Uint8Array;

/**
 * Share of the pairs of a positive and a negative row in which the positive has the higher score; a tie counts one half.
 * NaN if there is no such pair. No score may be NaN.
 */
export function areaUnderCurve(scores: Scores, labels: Labels): number {
  const isLong = scores instanceof Float32Array && scores.length > FEW;
  return (isLong ? areaByDigits(scores, labels) : undefined) ?? areaByMerging(scores, labels);
}

/** Sorts each class by itself, then merges. */
function areaByMerging(scores: Scores, labels: Labels): number {
  const [positives, negatives] = [1, 0].map((label) => {
    return scores.filter((_, row) => Number(labels[row] === 1) === label).sort();
  });
  let [below, through, won] = [0, 0, 0];
  for (const score of positives) {
    while (below < negatives.length && negatives[below] < score) below++;
    if (through < below) through = below;
    while (through < negatives.length && negatives[through] === score) through++;
    won += (below + through) / 2;
  }
  return won / (positives.length * negatives.length);
}

/** The bits of a score as an integer of the same order. */
const keyOf = (bits: number): number =>
  // All but the sign of a negative number are turned round; both zeros are one.
  bits === NEGATIVE_ZERO ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);

/** Two digits of so many bits each, the lower one first, and how often each of their values comes. */
interface Digits {
  readonly bits: number;
  readonly counts: readonly [Uint32Array, Uint32Array];
}

/**
 * Sorts all rows by the bits of their scores, in two digits, each with its label as one bit more. No branch depends on a
 * label: half of them would be guessed wrong. Undefined where scores lie so far apart that there is no room for that bit;
 * probabilities never do.
 */
function areaByDigits(scores: Float32Array, labels: Labels): number | undefined {
  const words = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  const [least, most] = extremes(words);
  const range = (most - least) >>> 0;
  if (range >= 2 ** 31) return undefined;
  const bits = Math.ceil((32 - Math.clz32(range)) / 2);
  const digits: Digits = { bits, counts: [new Uint32Array(2 ** bits), new Uint32Array(2 ** bits)] };
  const [rows, spare] = [new Uint32Array(words.length), new Uint32Array(words.length)];
  pack(words, labels, least, digits, rows);
  sortByDigit(rows, spare, 1, digits.counts[0]);
  sortByDigit(spare, rows, 1 + bits, digits.counts[1]);
  return shareWon(rows);
}

function extremes(words: Int32Array): readonly [least: number, most: number] {
  let [least, most] = [0x7fffffff, NEGATIVE_ZERO];
  for (let row = 0; row < words.length; row++) {
    const key = keyOf(words[row]);
    least = Math.min(least, key);
    most = Math.max(most, key);
  }
  return [least, most];
}

/** What each key is above the least, and in the lowest bit whether its row is positive. */
function pack(words: Int32Array, labels: Labels, least: number, digits: Digits, rows: Uint32Array): void {
  const { bits, counts } = digits;
  const [low, high] = counts;
  for (let row = 0; row < words.length; row++) {
    const above = keyOf(words[row]) - least;
    rows[row] = (above << 1) | Number(labels[row] === 1);
    low[above & (low.length - 1)]++;
    high[above >>> bits]++;
  }
}

/** Orders by the digit from bit `shift` on, of which `counts` says how often each value comes, and is used up. */
function sortByDigit(from: Uint32Array, into: Uint32Array, shift: number, counts: Uint32Array): void {
  for (let digit = 0, start = 0; digit < counts.length; digit++) {
    const count = counts[digit];
    counts[digit] = start;
    start += count;
  }
  for (let i = 0; i < from.length; i++) into[counts[(from[i] >>> shift) & (counts.length - 1)]++] = from[i];
}

function shareWon(sorted: Uint32Array): number {
  let [below, negatives, tied, positives, won] = [0, 0, 0, 0, 0];
  for (let i = 0, before = -1; i < sorted.length; i++) {
    const [key, positive] = [sorted[i] >>> 1, sorted[i] & 1];
    if (key !== before) {
      won += (tied * (below + negatives)) / 2;
      below = negatives;
      tied = 0;
      before = key;
    }
    tied += positive;
    positives += positive;
    negatives += 1 - positive;
  }
  won += (tied * (below + negatives)) / 2;
  return won / (positives * negatives);
}
