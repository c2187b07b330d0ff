import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tape, embeddingGather, rowIds } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, type OpCase } from '../support/gradcheck.js';
import { feedSegments } from '../support/rows.js';

const gatherSuite = suite('embeddingGather');
const device = await testDevice();
gatherSuite.after(() => device.destroy());

function caseOf(rows: number, dim: number, shape: readonly number[], data: readonly number[]): OpCase {
  const declare = (tape: Tape) => rowIds(tape.input('ids', shape, 'u32'), { name: 'ids', rows });
  return {
    inputs: { table: { shape: [rows, dim] } },
    ids: { ids: { shape, data } },
    build: ({ table }, tape) => embeddingGather(table, declare(tape)),
    reference: ({ table }) => data.flatMap((row) => Array.from(table.slice(row * dim, (row + 1) * dim))),
    feed: (store) => feedSegments(store, declare(new Tape({ training: true })), data),
  };
}

const cycle = (count: number, rows: number) => Array.from({ length: count }, (_, i) => (i * i + 3) % rows);
const cases: Record<string, OpCase> = {
  'a table of one row, one id': caseOf(1, 1, [1], [0]),
  'odd sizes with duplicates': caseOf(5, 3, [2, 4], [4, 4, 0, 1, 4, 2, 0, 4]),
  'rows of whole vec4s': caseOf(7, 8, [5, 3], cycle(15, 7)),
  'more ids than a workgroup': caseOf(40, 6, [70, 3], cycle(210, 40)),
  'long segments of one and two rows': caseOf(2, 4, [1500], cycle(1500, 2)),
  'width 1': caseOf(9, 1, [33, 2], cycle(66, 9)),
};

for (const [name, one] of Object.entries(cases)) {
  gatherSuite(`${name}: rows are copied`, () => checkForward(device, one));
  gatherSuite(`${name}: each row's gradient is the sum over its places`, () => checkGradient(device, one));
}

gatherSuite('refuses a table of another size than its ids are meant for', () => {
  const tape = new Tape({ training: true });
  const ids = rowIds(tape.input('ids', [3], 'u32'), { name: 'ids', rows: 10 });
  assert.throws(
    () => embeddingGather(tape.input('table', [9, 4]), ids),
    /table has 9 rows, but its ids count 10/,
  );
});

gatherSuite.run();
