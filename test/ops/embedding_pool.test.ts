import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tape, embeddingPool, rowIds, type PoolMode } from '../../engine/index.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, type OpCase } from '../support/gradcheck.js';
import { feedSegments } from '../support/rows.js';

const poolSuite = suite('embeddingPool');
const device = await testDevice();
poolSuite.after(() => device.destroy());

function pooled(
  table: Float64Array,
  dim: number,
  sequences: readonly (readonly number[])[],
  mode: PoolMode,
  skipPadding: boolean,
) {
  return sequences.flatMap((sequence) => {
    const real = sequence.filter((id) => id !== 0 || !skipPadding);
    const divisor = mode === 'mean' ? Math.max(real.length, 1) : 1;
    return Array.from(
      { length: dim },
      (_, d) => real.reduce((sum, id) => sum + table[id * dim + d], 0) / divisor,
    );
  });
}

function caseOf(
  rows: number,
  dim: number,
  sequences: readonly (readonly number[])[],
  mode: PoolMode,
  skipPadding = true,
): OpCase {
  const shape = [sequences.length, sequences[0].length];
  const data = sequences.flat();
  const spec = { name: 'ids', rows, per: shape[1], skipPadding };
  const declare = (tape: Tape) => rowIds(tape.input('ids', shape, 'u32'), spec);
  return {
    inputs: { table: { shape: [rows, dim] } },
    ids: { ids: { shape, data } },
    build: ({ table }, tape) => embeddingPool(table, declare(tape), mode),
    reference: ({ table }) => pooled(table, dim, sequences, mode, skipPadding),
    feed: (store) => feedSegments(store, declare(new Tape({ training: true })), data),
  };
}

const long = Array.from({ length: 300 }, (_, b) => [1 + (b % 3), b % 2 === 0 ? 2 : 0, 0]);
const fieldIds = (batch: number) => Array.from({ length: batch }, (_, b) => [b % 2, (b * b) % 7, 6]);
for (const mode of ['mean', 'sum'] as const) {
  const cases: Record<string, OpCase> = {
    'one row of one id': caseOf(2, 1, [[1]], mode),
    'only an empty sequence': caseOf(3, 3, [[0, 0]], mode),
    'empty, short, full and repeating sequences': caseOf(
      6,
      5,
      [
        [0, 0, 0],
        [3, 0, 0],
        [1, 5, 2],
        [4, 4, 1],
      ],
      mode,
    ),
    'whole vec4s, long segments': caseOf(4, 8, long, mode),
  };
  const fields: Record<string, OpCase> = {
    'fields, width 1': caseOf(7, 1, fieldIds(90), mode, false),
    'fields, whole vec4s': caseOf(7, 4, fieldIds(33), mode, false),
  };
  for (const [name, one] of Object.entries(fields)) {
    poolSuite(`${mode}, ${name}: every id takes part`, () => checkForward(device, one));
    poolSuite(`${mode}, ${name}: gradient goes to every id`, () => checkGradient(device, one));
  }
  for (const [name, one] of Object.entries(cases)) {
    poolSuite(`${mode}, ${name}: padding takes no part`, () => checkForward(device, one));
    poolSuite(`${mode}, ${name}: gradient goes to the ids that took part`, () => checkGradient(device, one));
  }
}

poolSuite('refuses ids that are not declared as sequences', () => {
  const tape = new Tape({ training: true });
  const ids = rowIds(tape.input('ids', [2, 3], 'u32'), { name: 'ids', rows: 4 });
  assert.throws(
    () => embeddingPool(tape.input('table', [4, 2]), ids, 'mean'),
    /^embedding_pool: ids of sequences of 3 need per=3, but have per=1$/,
  );
});

poolSuite.run();
