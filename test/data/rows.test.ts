import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allowedRows, allRows, countIds, everyRow, listed, rowsOf, type Selection } from '../../data/rows.js';

const rows = suite('rows');

rows('allRows counts from 0', () => {
  assert.equal([...allRows(3)], [0, 1, 2]);
});

rows('allowedRows keeps rows with an allowed id, in their order', () => {
  const ids = Uint32Array.of(0, 2, 1, 2);
  const left = (from: Selection, ...allowed: number[]) => [
    ...listed(allowedRows(from, ids, Uint8Array.from(allowed))),
  ];
  assert.equal(left(rowsOf(Uint32Array.of(3, 2, 1, 0)), 0, 0, 1), [3, 1]);
  assert.equal(left(everyRow(4), 0, 0, 1), [1, 3]);
  assert.equal(left(everyRow(4), 0, 0, 0), []);
  for (const all of [everyRow(4), rowsOf(allRows(4))]) {
    assert.is(allowedRows(all, ids, Uint8Array.of(1, 1, 1)), all);
  }
});

rows('countIds counts the given rows only, from nothing', () => {
  const counts = Uint32Array.of(9, 9, 9);
  const ids = Uint32Array.of(0, 2, 1, 2);
  countIds(rowsOf(Uint32Array.of(1, 3)), ids, counts);
  assert.equal([...counts], [0, 0, 2]);
  countIds(everyRow(4), ids, counts);
  assert.equal([...counts], [1, 1, 2]);
});

rows.run();
