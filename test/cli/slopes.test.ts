import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { largestEigenvalue, steepnessOf } from '../../cli/train/slopes.js';
import { numbers } from '../support/numbers.js';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-6 * expected, `${actual}, expected ${expected}`);

const eigen = suite('largestEigenvalue');

eigen('is that of small matrices by hand', () => {
  near(largestEigenvalue(Float64Array.of(3), 1), 3);
  near(largestEigenvalue(Float64Array.of(2, 1, 1, 2), 2), 3);
  near(largestEigenvalue(Float64Array.of(1, -1, -1, 1), 2), 2);
  near(largestEigenvalue(Float64Array.of(1, 0, 0, 0, 5, 0, 0, 0, 2), 3), 5);
  assert.is(largestEigenvalue(new Float64Array(9), 3), 0);
});

eigen.run();

const steepness = suite('steepnessOf');

/** ‖A‖₂ of a matrix [n,width] as the longest of many images of unit vectors. */
function longest(rows: readonly (readonly number[])[]): number {
  const random = numbers(5);
  const times = (x: readonly number[]) => rows.map((row) => row.reduce((sum, a, i) => sum + a * x[i], 0));
  const back = (y: readonly number[]) =>
    rows[0].map((_, i) => rows.reduce((sum, row, k) => sum + row[i] * y[k], 0));
  let x = random([rows[0].length]);
  for (let i = 0; i < 3000; i++) {
    const y = back(times(x));
    x = y.map((value) => value / Math.hypot(...y));
  }
  return Math.hypot(...times(x));
}

for (const n of [1, 2, 5]) {
  steepness(`${n} logits: norms are those of the Jacobians themselves`, () => {
    const random = numbers(n);
    const jacobian = Array.from({ length: n }, () => random([7]));
    const z = Float32Array.from(random([n]));
    const gram = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return jacobian[i].reduce((sum, value, k) => sum + value * jacobian[j][k], 0);
    });
    // ∂p/∂e by differences of softmax along each direction of e.
    const softmax = (v: readonly number[]) => {
      if (n === 1) return [1 / (1 + Math.exp(-v[0]))];
      const total = v.reduce((sum, value) => sum + Math.exp(value), 0);
      return v.map((value) => Math.exp(value) / total);
    };
    const moved = (k: number, step: number) =>
      softmax(Array.from(z, (value, i) => value + step * jacobian[i][k]));
    const columns = Array.from({ length: 7 }, (_, k) => {
      const [above, below] = [moved(k, 1e-5), moved(k, -1e-5)];
      return above.map((value, i) => (value - below[i]) / 2e-5);
    });
    const slopes = Array.from({ length: n }, (_, i) => columns.map((column) => column[i]));
    const found = steepnessOf({ outputs: n, values: z, gram });
    near(found.logits, longest(jacobian));
    near(found.probabilities, longest(slopes));
    assert.is(found.within, longest(slopes) <= longest(jacobian) / Math.sqrt(n) ? 1 : 0);
  });
}

steepness('takes the steepest row, and counts those within the bound', () => {
  // At p = ½ the softmax of two has slope ½: ‖∂p/∂z‖ = ½ < 1/√2.
  const values = Float32Array.of(0, 0, 0, 0);
  const gram = Float64Array.of(1, -1, -1, 1, 4, -4, -4, 4);
  const found = steepnessOf({ outputs: 2, values, gram });
  near(found.logits, Math.sqrt(8));
  near(found.probabilities, Math.sqrt(8) / 2);
  assert.is(found.within, 1);
});

steepness.run();
