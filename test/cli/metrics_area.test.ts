import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areaUnderCurve } from '../../cli/metrics/area.js';
import { Mt19937 } from '../../data/mt19937.js';

const area = suite('areaUnderCurve');

/** Positives' ranks by a comparator, ties sharing their mean: Mann and Whitney's U over all pairs. */
function byRanks(scores: Float32Array, labels: Uint8Array): number {
  const order = Array.from(scores, (_, row) => row).sort((a, b) =>
    scores[a] === scores[b] ? 0 : scores[a] < scores[b] ? -1 : 1,
  );
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let ranks = 0;
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last < order.length && scores[order[last]] === scores[order[first]]) last++;
    for (let i = first; i < last; i++) ranks += labels[order[i]] * ((first + 1 + last) / 2);
    first = last;
  }
  const won = ranks - (positives * (positives + 1)) / 2;
  return won / (positives * (scores.length - positives));
}

const kinds: Readonly<Record<string, (rng: Mt19937) => number>> = {
  'probabilities, hardly any equal': (rng) => rng.next() / 2 ** 32,
  'few different values': (rng) => (rng.next() % 7) / 7,
  'logits of both signs': (rng) => (rng.next() - 2 ** 31) / 2 ** 28,
  'zeros of both signs, infinities and the least numbers': (rng) =>
    [0, -0, Infinity, -Infinity, 1e-45, -1e-45, 3e38, -3e38][rng.next() % 8],
  'one value': () => 0.5,
};

area('of many rows is what their ranks give, to the bit', () => {
  for (const [what, draw] of Object.entries(kinds)) {
    const rng = new Mt19937(11);
    // A part of a longer array: its memory begins elsewhere.
    const scores = new Float32Array(20_001).map(() => draw(rng)).subarray(1);
    const labels = new Uint8Array(scores.length).map(() => Number(rng.next() % 3 === 0));
    const want = byRanks(scores, labels);
    assert.is(areaUnderCurve(scores, labels), want, what);
    assert.is(areaUnderCurve(Float64Array.from(scores), labels), want, `${what}, in f64`);
    const few = [scores.subarray(0, 100), labels.subarray(0, 100)] as const;
    assert.is(areaUnderCurve(...few), byRanks(...few), `${what}, a few rows`);
  }
});

area('is NaN where a class is missing, and leaves its input alone', () => {
  for (const rows of [3, 10_000]) {
    const scores = new Float32Array(rows).map((_, row) => -row);
    assert.ok(Number.isNaN(areaUnderCurve(scores, new Uint8Array(rows))));
    assert.ok(Number.isNaN(areaUnderCurve(scores, new Uint8Array(rows).fill(1))));
    assert.is(scores[rows - 1], 1 - rows);
  }
});

area.run();
