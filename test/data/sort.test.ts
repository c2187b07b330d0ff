import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Mt19937 } from '../../data/mt19937.js';
import { sortedRows } from '../../data/sort.js';

const sorting = suite('sortedRows');

/** The obvious way: by value, then by place; NaN last. */
function slowly(rows: readonly number[], values: ArrayLike<number>): number[] {
  const key = (place: number) => (Number.isNaN(values[rows[place]]) ? [1, 0] : [0, values[rows[place]]]);
  const places = rows.map((_, place) => place);
  places.sort(
    (a, b) => key(a)[0] - key(b)[0] || (key(a)[1] === key(b)[1] ? a - b : key(a)[1] < key(b)[1] ? -1 : 1),
  );
  return places.map((place) => rows[place]);
}

sorting('agrees with a comparator on numbers of every kind', () => {
  const values = [
    0,
    -0,
    5e-324,
    -5e-324,
    1,
    -1,
    1e300,
    -1e300,
    Infinity,
    -Infinity,
    NaN,
    956703932,
    956703933,
    0.1,
  ];
  const rng = new Mt19937(3);
  const rows = Array.from({ length: 400 }, () => rng.next() % values.length);
  assert.equal([...sortedRows(Uint32Array.from(rows), Float64Array.from(values))], slowly(rows, values));
});

sorting('sorts float32 columns, rows that are all equal, and no rows', () => {
  assert.equal([...sortedRows(Uint32Array.of(2, 0, 1), Float32Array.of(3, 1, 2))], [1, 2, 0]);
  assert.equal([...sortedRows(Uint32Array.of(2, 0, 1), Float32Array.of(7, 7, 7))], [2, 0, 1]);
  assert.equal([...sortedRows(new Uint32Array(0), new Float64Array(0))], []);
});

sorting('leaves its input alone', () => {
  const rows = Uint32Array.of(1, 0);
  const values = Float64Array.of(2, 1);
  sortedRows(rows, values);
  assert.equal([...rows, ...values], [1, 0, 2, 1]);
});

sorting.run();
