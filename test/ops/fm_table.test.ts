import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Store,
  Tape,
  adam,
  add,
  backward,
  compile,
  concat,
  embeddingGather,
  embeddingPool,
  fmPairs,
  fmPooled,
  mean,
  mul,
  rowIds,
  sum,
  xavierNormal,
  type ClipNorm,
  type Tensor,
} from '../../engine/index.js';
import { prune } from '../../engine/prune.js';
import { close } from '../support/close.js';
import { testDevice } from '../support/device.js';
import { checkForward, checkGradient, runCase, type OpCase } from '../support/gradcheck.js';
import { pooled, summed } from '../support/pairs.js';
import { feedSegments } from '../support/rows.js';

const device = await testDevice();

/** op(table[ids]) with long segments; rows are read where they are if `per` is the number of fields. */
function tableCase(
  [batch, fields, dim, rows]: readonly number[],
  per: number,
  op: (e: Tensor) => Tensor,
  twin: (e: Float64Array, shape: readonly number[]) => Float64Array,
): OpCase {
  const shape = [batch, fields];
  const data = Array.from({ length: batch * fields }, (_, p) => (p % fields ? (p * p) % rows : p % 2));
  const declare = (tape: Tape) => rowIds(tape.input('ids', shape, 'u32'), { name: 'ids', rows, per });
  return {
    inputs: { table: { shape: [rows, dim] } },
    ids: { ids: { shape, data } },
    build: ({ table }, tape) => op(embeddingGather(table, declare(tape))),
    reference: ({ table }) => {
      const e = data.flatMap((row) => [...table.slice(row * dim, (row + 1) * dim)]);
      return twin(Float64Array.from(e), [batch, fields, dim]);
    },
    feed: (store) => feedSegments(store, declare(new Tape({ training: true })), data),
    tolerance: 1e-5,
  };
}

/** Σ_f e + pooled: e is read twice. */
function pooledAndSum(e: Float64Array, shape: readonly number[]): Float64Array {
  const [, fields, dim] = shape;
  const y = pooled(e, shape);
  e.forEach((value, i) => (y[Math.floor(i / fields / dim) * dim + (i % dim)] += value));
  return y;
}

const tableSuite = suite('fmPooled and fmPairs of rows of a table');
const ops = { fmPooled: [fmPooled, pooled], fmPairs: [fmPairs, summed] } as const;
for (const [name, [op, twin]] of Object.entries(ops)) {
  for (const sizes of [
    [1, 1, 4, 2],
    [3, 2, 4, 5],
    [200, 3, 8, 17],
    [333, 5, 16, 40],
  ]) {
    const one = tableCase(sizes, sizes[1], op, twin);
    tableSuite(`${name} [${sizes}] is the pairwise double loop`, () => checkForward(device, one));
    tableSuite(`${name} [${sizes}] has its gradient`, () => checkGradient(device, one));
  }
  tableSuite(`${name} gives the table the same gradient where it reads copies of its rows`, async () => {
    const [read, copied] = await Promise.all([
      runCase(device, tableCase([200, 3, 8, 17], 3, op, twin)),
      runCase(device, tableCase([200, 3, 8, 17], 1, op, twin)),
    ]);
    assert.equal(read.y, copied.y);
    assert.equal(read.gradients, copied.gradients);
  });
  tableSuite(`${name} makes no copy of the rows and no gradient of one`, () => {
    const one = tableCase([3, 2, 4, 5], 2, op, twin);
    const tape = new Tape({ training: true, denseTables: true });
    const table = tape.variable('table', [5, 4]);
    const y = one.build({ table }, tape);
    const { dispatches } = backward(y, tape.input('dy', y.shape));
    const entries = prune([...tape.forward, ...dispatches], new Set()).map(({ entry }) => entry);
    assert.ok(
      entries.every((entry) => !/gather|backward/.test(entry)),
      entries.join(),
    );
  });
}
const both = (e: Tensor) => add(fmPooled(e), sum(e, 1));
tableSuite('rows that another op reads too get the gradients of both', async () => {
  const one = tableCase([200, 3, 8, 17], 3, both, pooledAndSum);
  await checkForward(device, one);
  await checkGradient(device, one);
});

/** op(table[ids] between other fields). */
function mixedCase(
  [batch, fields, rest, dim, rows]: readonly number[],
  op: (e: Tensor) => Tensor,
  twin: (e: Float64Array, shape: readonly number[]) => Float64Array,
): OpCase {
  const plain = tableCase(
    [batch, fields, dim, rows],
    fields,
    (e) => e,
    (e) => e,
  );
  const half = Math.floor(rest / 2);
  return {
    ...plain,
    inputs: {
      table: { shape: [rows, dim] },
      left: { shape: [batch, rest - half, dim] },
      ...(half > 0 && { right: { shape: [batch, half, dim] } }),
    },
    build(t, tape) {
      const e = plain.build(t, tape);
      return op(concat(half > 0 ? [t.left, e, t.right] : [t.left, e], 1));
    },
    reference({ table, left, right }) {
      const e = plain.reference({ table });
      const part = (values: Float64Array, b: number, count: number) => [
        ...values.subarray(b * count * dim, (b + 1) * count * dim),
      ];
      const all = Array.from({ length: batch }, (_, b) => [
        ...part(left, b, rest - half),
        ...part(e as Float64Array, b, fields),
        ...(half > 0 ? part(right, b, half) : []),
      ]);
      return twin(Float64Array.from(all.flat()), [batch, fields + rest, dim]);
    },
  };
}

for (const [name, [op, twin]] of Object.entries(ops)) {
  for (const sizes of [
    [3, 2, 1, 4, 5],
    [200, 3, 2, 8, 17],
    [97, 6, 1, 20, 40],
  ]) {
    const one = mixedCase(sizes, op, twin);
    tableSuite(`${name} [${sizes}] of rows beside other fields is the pairwise double loop`, () =>
      checkForward(device, one),
    );
    tableSuite(`${name} [${sizes}] of rows beside other fields has its gradients`, () =>
      checkGradient(device, one),
    );
  }
  tableSuite(`${name} puts rows and other fields nowhere side by side`, () => {
    const one = mixedCase([3, 2, 1, 4, 5], op, twin);
    const tape = new Tape({ training: true, denseTables: true });
    const [table, left] = [tape.variable('table', [5, 4]), tape.variable('left', [3, 1, 4])];
    const y = one.build({ table, left }, tape);
    const { dispatches } = backward(y, tape.input('dy', y.shape));
    const entries = prune([...tape.forward, ...dispatches], new Set()).map(({ entry }) => entry);
    assert.ok(!entries.some((entry) => /gather|concat/.test(entry)), entries.join());
  });
}

/** Tables after two steps of a factorization machine with first-order weights, and the entries of a step. */
async function trainedTables(denseTables: boolean, clipNorm?: ClipNorm) {
  const [batch, fields, dim, rows] = [150, 4, 8, 23];
  const data = Uint32Array.from({ length: batch * fields }, (_, p) => (p % fields ? (p * p) % rows : p % 2));
  const store = new Store(device, 5);
  const tape = new Tape({ training: true, denseTables });
  const table = tape.parameter('v', [rows, dim], { init: xavierNormal(), table: true });
  const weights = tape.parameter('w', [rows, 1], { init: xavierNormal(), table: true });
  const ids = rowIds(tape.input('ids', [batch, fields], 'u32'), { name: 'ids', rows, per: fields });
  const logits = add(embeddingPool(weights, ids, 'sum'), fmPairs(embeddingGather(table, ids)));
  const plan = await compile(device, store, {
    tape,
    loss: mean(mul(logits, logits)),
    optimizer: adam(),
    clipNorm,
  });
  store.write('ids', data);
  feedSegments(store, ids, Array.from(data));
  plan.setSchedule(1, Float32Array.from([1, 2].flatMap((step) => [...adam().schedule(step, 0.05)])));
  for (let step = 0; step < 2; step++) {
    plan.rewind();
    plan.run(1);
  }
  plan.flush();
  const tables = [await store.read('v'), await store.read('w')];
  const entries = plan.dispatches.map(({ entry }) => entry);
  plan.destroy();
  store.destroy();
  return { tables, entries };
}

for (const clipNorm of [undefined, { maxNorm: 0.01 }]) {
  const how = clipNorm ? 'clipped' : 'unclipped';
  tableSuite(`fmPairs sums the gradient of first-order weights on the way, ${how}`, async () => {
    const [rows, dense] = [await trainedTables(false, clipNorm), await trainedTables(true, clipNorm)];
    assert.equal(
      rows.entries.filter((entry) => /^segment_sum/.test(entry)),
      [],
    );
    rows.tables.forEach((table, i) => close(table as Float32Array, dense.tables[i] as Float32Array, 1e-6));
  });
}

tableSuite('fields that another op reads too get the gradients of both', async () => {
  const one = mixedCase([50, 3, 2, 8, 17], both, pooledAndSum);
  await checkForward(device, one);
  await checkGradient(device, one);
});

tableSuite.after(() => device.destroy());
tableSuite.run();
