import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allowedRows, allRows, countIds } from '../../data/rows.js';

const rows = suite('rows');

rows('allRows counts from 0', () => {
  assert.equal([...allRows(3)], [0, 1, 2]);
});

rows('allowedRows keeps rows with an allowed id, in their order', () => {
  const ids = Uint32Array.of(0, 2, 1, 2);
  assert.equal([...allowedRows(Uint32Array.of(3, 2, 1, 0), ids, Uint8Array.of(0, 0, 1))], [3, 1]);
  assert.equal([...allowedRows(allRows(4), ids, Uint8Array.of(0, 0, 0))], []);
  const all = allRows(4);
  assert.is(allowedRows(all, ids, Uint8Array.of(1, 1, 1)), all);
});

rows('countIds counts the given rows only, from nothing', () => {
  const counts = Uint32Array.of(9, 9, 9);
  countIds(Uint32Array.of(1, 3), Uint32Array.of(0, 2, 1, 2), counts);
  assert.equal([...counts], [0, 0, 2]);
});

rows.run();
