/** Numbers of which few enough are sorted by the engine's own sort sooner than their digits are counted. */
const FEW = 4096;
// 11 bits: their 2048 counts stay in a core's first cache, and three passes do.
const DIGIT_BITS = 11;
const DIGITS = 3;
const DIGIT = 2 ** DIGIT_BITS - 1;
const NEGATIVE_ZERO = 0x80000000 | 0;

type Scores = Float32Array | Float64Array;
type Labels = Float32Array | Float64Array | Uint8Array;

/**
 * Share of the pairs of a positive and a negative row in which the positive has the higher score; a tie counts one half.
 * NaN if there is no such pair. No score may be NaN.
 */
export function areaUnderCurve(scores: Scores, labels: Labels): number {
  const isLong = scores instanceof Float32Array && scores.length > FEW;
  return isLong ? areaByDigits(scores, labels) : areaByMerging(scores, labels);
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

/** Scores as unsigned integers of the same order, each with whether its row is positive. */
interface Keyed {
  readonly keys: Uint32Array;
  readonly positive: Uint8Array;
}

/** Sorts all rows by the digits of their scores' bits. No branch depends on a label: half of them would be guessed wrong. */
function areaByDigits(scores: Float32Array, labels: Labels): number {
  const room = (): Keyed => {
    return { keys: new Uint32Array(scores.length), positive: new Uint8Array(scores.length) };
  };
  let [sorted, spare] = [room(), room()];
  const counts = new Uint32Array(DIGITS << DIGIT_BITS);
  toKeys(scores, labels, sorted, counts);
  for (let digit = 0; digit < DIGITS; digit++) {
    const own = counts.subarray(digit << DIGIT_BITS, (digit + 1) << DIGIT_BITS);
    if (own.includes(scores.length)) continue;
    sortByDigit(sorted, spare, digit * DIGIT_BITS, own);
    [sorted, spare] = [spare, sorted];
  }
  return shareWon(sorted);
}

function toKeys(scores: Float32Array, labels: Labels, { keys, positive }: Keyed, counts: Uint32Array): void {
  const words = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  for (let row = 0; row < words.length; row++) {
    const bits = words[row] === NEGATIVE_ZERO ? 0 : words[row];
    // All bits of a negative number are turned round, of another the sign alone.
    const key = bits ^ ((bits >> 31) | NEGATIVE_ZERO);
    keys[row] = key;
    positive[row] = Number(labels[row] === 1);
    counts[key & DIGIT]++;
    counts[(1 << DIGIT_BITS) + ((key >>> DIGIT_BITS) & DIGIT)]++;
    counts[(2 << DIGIT_BITS) + (key >>> (2 * DIGIT_BITS))]++;
  }
}

/** Orders by one digit, of which `counts` says how often each value comes, and is used up. */
function sortByDigit(from: Keyed, into: Keyed, shift: number, counts: Uint32Array): void {
  for (let digit = 0, start = 0; digit < counts.length; digit++) {
    const count = counts[digit];
    counts[digit] = start;
    start += count;
  }
  const { keys, positive } = from;
  const { keys: intoKeys, positive: intoPositive } = into;
  for (let i = 0; i < keys.length; i++) {
    const at = counts[(keys[i] >>> shift) & DIGIT]++;
    intoKeys[at] = keys[i];
    intoPositive[at] = positive[i];
  }
}

function shareWon({ keys, positive }: Keyed): number {
  let [below, negatives, tied, positives, won] = [0, 0, 0, 0, 0];
  for (let i = 0; i < keys.length; i++) {
    if (i > 0 && keys[i] !== keys[i - 1]) {
      won += (tied * (below + negatives)) / 2;
      below = negatives;
      tied = 0;
    }
    tied += positive[i];
    positives += positive[i];
    negatives += 1 - positive[i];
  }
  won += (tied * (below + negatives)) / 2;
  return won / (positives * negatives);
}
