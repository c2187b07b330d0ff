import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { valueMetrics, type Scored } from '../../cli/metrics.js';
import { Mt19937 } from '../../data/mt19937.js';

interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly auc_logloss: readonly {
    readonly pred: Tensor;
    readonly label: Tensor;
    readonly auc: number;
    readonly logloss: number;
  }[];
}
const golden: Golden = JSON.parse(readFileSync('test/fixtures/metrics.json', 'utf8'));

/** The fixtures print 9 significant digits: half a unit of the last one is all that can be asked. */
function near(actual: number, printed: number, message: string): void {
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(printed) || 1)) - 8);
  assert.ok(
    Math.abs(actual - printed) <= Math.max(unit / 2, 1e-9) * 1.0001,
    `${message}: ${actual}, want ${printed}`,
  );
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9, `${actual}, want ${expected}`);
}

/** `rows` invented rows; scores in steps of 1 / `steps`, so that ties abound. */
function invent(rows: number, steps: number, seed: number, users = 5): Scored & { users: Uint32Array } {
  const rng = new Mt19937(seed);
  const scores = new Float32Array(rows).map(() => (rng.next() % (steps + 1)) / steps);
  const labels = new Float32Array(rows).map(() => rng.next() % 2);
  return { scores, labels, users: new Uint32Array(rows).map(() => 3 + (rng.next() % users)) };
}

/** Share of (positive, negative) pairs in the right order; NaN without pairs. */
function pairwise({ scores, labels }: Scored, rows: readonly number[]): number {
  let [won, pairs] = [0, 0];
  for (const a of rows) {
    for (const b of rows) {
      if (labels[a] !== 1 || labels[b] !== 0) continue;
      pairs++;
      won += scores[a] > scores[b] ? 1 : scores[a] === scores[b] ? 0.5 : 0;
    }
  }
  return won / pairs;
}
const allRows = (input: Scored): number[] => Array.from(input.scores, (_, row) => row);

const auc = suite('valueMetrics.AUC');

auc('equals the golden values', () => {
  for (const { pred, label, auc: expected } of golden.auc_logloss) {
    const input = { scores: Float32Array.from(pred.data), labels: Float32Array.from(label.data) };
    near(valueMetrics.AUC(input), expected, `${pred.shape[0]} rows`);
  }
});

auc('is the share of pairs in the right order, ties one half', () => {
  for (const [rows, steps] of [
    [2, 1],
    [3, 4],
    [57, 1000000],
    [200, 10],
    [301, 2],
  ]) {
    const input = invent(rows, steps, rows);
    input.labels[0] = 0;
    input.labels[1] = 1;
    close(valueMetrics.AUC(input), pairwise(input, allRows(input)));
    close(
      valueMetrics.AUC({ ...input, scores: Float64Array.from(input.scores) }),
      pairwise(input, allRows(input)),
    );
  }
});

auc('takes infinite scores and holds -0 equal to 0', () => {
  const labels = Float32Array.of(0, 1, 1, 0);
  assert.is(valueMetrics.AUC({ scores: Float32Array.of(-Infinity, Infinity, -0, 0), labels }), 0.875);
});

auc('leaves its input as it was', () => {
  const input = invent(50, 20, 1);
  const before = input.scores.slice();
  valueMetrics.AUC(input);
  assert.equal(input.scores, before);
});

auc('takes a million rows well under a second', () => {
  const input = invent(1_000_000, 1 << 30, 7);
  const started = performance.now();
  valueMetrics.AUC(input);
  const took = performance.now() - started;
  // Measured 0.13 s; the rest is room for a busy machine.
  assert.ok(took < 900, `${took} ms`);
});

auc('refuses labels of one class', () => {
  const scores = Float32Array.of(0.1, 0.2);
  assert.throws(
    () => valueMetrics.AUC({ scores, labels: Float32Array.of(1, 1) }),
    /^AUC: all 2 labels are 1, .*threshold/,
  );
  assert.throws(() => valueMetrics.AUC({ scores, labels: Float32Array.of(0, 0) }), /all 2 labels are 0/);
});

auc.run();

const logLoss = suite('valueMetrics.LogLoss');

logLoss('equals the golden values', () => {
  for (const { pred, label, logloss } of golden.auc_logloss) {
    const input = { scores: Float32Array.from(pred.data), labels: Float32Array.from(label.data) };
    near(valueMetrics.LogLoss(input), logloss, `${pred.shape[0]} rows`);
  }
});

logLoss('clips scores of 0 and 1 to 1e-15', () => {
  close(valueMetrics.LogLoss({ scores: Float32Array.of(0), labels: Float32Array.of(1) }), -Math.log(1e-15));
  close(
    valueMetrics.LogLoss({ scores: Float32Array.of(1), labels: Float32Array.of(0) }),
    -Math.log(1 - (1 - 1e-15)),
  );
});

logLoss('is the mean cross-entropy', () => {
  const input = invent(99, 1000, 3);
  const terms = allRows(input).map((row) => {
    const score = Math.min(Math.max(input.scores[row], 1e-15), 1 - 1e-15);
    return -Math.log(input.labels[row] === 1 ? score : 1 - score);
  });
  close(valueMetrics.LogLoss(input), terms.reduce((sum, term) => sum + term) / 99);
});

logLoss.run();

const gauc = suite('valueMetrics.GAUC');

gauc("weights each user's AUC by the user's positives and skips users of one class", () => {
  for (const users of [1, 5, 40]) {
    const input = invent(200, 10, 11, users);
    let [sum, weights] = [0, 0];
    for (const user of new Set(input.users)) {
      const rows = allRows(input).filter((row) => input.users[row] === user);
      const area = pairwise(input, rows);
      if (Number.isNaN(area)) continue;
      const positives = rows.filter((row) => input.labels[row] === 1).length;
      sum += area * positives;
      weights += positives;
    }
    close(valueMetrics.GAUC(input), sum / weights);
  }
});

gauc('of a hand-made case: users of 2, 1 and no positives', () => {
  const input = {
    scores: Float32Array.of(0.9, 0.1, 0.5, 0.3, 0.4, 0.7),
    labels: Float32Array.of(1, 1, 0, 1, 0, 0),
    users: Uint32Array.of(8, 8, 8, 2, 2, 5),
  };
  // User 8: one of two pairs won, weight 2. User 2: none of one, weight 1. User 5 has no positive.
  close(valueMetrics.GAUC(input), 1 / 3);
});

gauc('refuses rows without users, and users of one class only', () => {
  const { scores, labels } = invent(10, 10, 1);
  assert.throws(() => valueMetrics.GAUC({ scores, labels }), /^GAUC: it needs the user of every row/);
  const users = new Uint32Array(10).map((_, row) => row);
  assert.throws(() => valueMetrics.GAUC({ scores, labels, users }), /^GAUC: no user has rows of both labels/);
});

gauc.run();

const errors = suite('valueMetrics.MAE, RMSE, Accuracy');

errors('are the textbook formulas on score and label', () => {
  const input = { scores: Float32Array.of(0.25, 0.75, 0.5, 1), labels: Float32Array.of(0, 1, 1, 0) };
  close(valueMetrics.MAE(input), (0.25 + 0.25 + 0.5 + 1) / 4);
  close(valueMetrics.RMSE(input), Math.sqrt((0.0625 + 0.0625 + 0.25 + 1) / 4));
  // A score of exactly 0.5 counts as label 0.
  close(valueMetrics.Accuracy(input), 2 / 4);
});

errors.run();

const input = suite('valueMetrics: input');

input('without rows, of unequal lengths or with NaN is refused by every metric', () => {
  for (const [name, metric] of Object.entries(valueMetrics)) {
    const none = new Float32Array(0);
    const users = Uint32Array.of(1, 1);
    assert.throws(() => metric({ scores: none, labels: none }), new RegExp(`^${name}: no rows`));
    assert.throws(
      () => metric({ scores: Float32Array.of(0.5), labels: Float32Array.of(1, 0) }),
      new RegExp(`^${name}: 1 scores, 2 labels; they must be equally many`),
    );
    assert.throws(
      () => metric({ scores: Float32Array.of(0.5, NaN), labels: Float32Array.of(1, 0), users }),
      new RegExp(`^${name}: score of row 1 is NaN`),
    );
  }
});

input.run();
