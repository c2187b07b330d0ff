import { Worker, MessageChannel } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { failureIn, makeControl, pieceCount, words } from '../../engine/cpu/control.js';
import { Executor, Kernels } from '../../engine/cpu/executor.js';
import type { Definition, ThreadSetup } from '../../engine/cpu/orders.js';
import { handMade } from '../support/cpu_modules.js';

const entries = ['add_one', 'slow', 'trap'];
const module = await WebAssembly.compile(handMade());
const definition: Definition = { kind: 'define', module, first: 0, entries };
/** Addresses of a record, whose buffer lies behind it. */
const [record, buffer] = [1024, 4096];

/** An executor on this thread, with one helper, and a list of one command over `groups` workgroups of four. */
function lead(smallNs: number, groups: number, entry: string, step: number) {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  const control = makeControl(2);
  const setup: ThreadSetup = { memory, control, threads: 2, spinMs: 0.02, smallNs };
  const { port1, port2 } = new MessageChannel();
  const url = new URL('../../engine/cpu/worker.js', import.meta.url);
  const workerData = { ...setup, thread: 1, orders: port2 };
  const helper = new Worker(url, { workerData, transferList: [port2] });
  port1.postMessage(definition);
  new Uint32Array(memory.buffer, record, 10).set([groups, 1, 1, 0, step, 0, 0, 0, buffer, 16 * groups]);
  const kernels = new Kernels(setup, () => definition);
  return {
    control,
    executor: new Executor(setup, kernels),
    list: Int32Array.of(entries.indexOf(entry), record, groups),
    words: new Uint32Array(memory.buffer, buffer, 4 * groups),
    estimate: () => new Uint32Array(memory.buffer)[record / 4 + 3],
    end: () => helper.terminate(),
  };
}

const executor = suite('Executor');

executor('shares the first run of a command, and then leaves a small one to the leader', async () => {
  const { control, executor, list, words: y, estimate, end } = lead(1e9, 8, 'add_one', 3);
  executor.run(list, 1);
  assert.is(control[words.begun], 1);
  assert.ok(estimate() > 0, 'took its time');
  executor.run(list, 10);
  assert.is(control[words.begun], 1);
  assert.equal([...y], Array<number>(32).fill(33));
  await end();
});

executor('shares a large command every time, among threads that have slept too', async () => {
  const { control, executor, list, words: y, end } = lead(1, 8, 'slow', 1000);
  executor.run(list, 5);
  await new Promise((resolve) => setTimeout(resolve, 20));
  executor.run(list, 5);
  assert.is(control[words.begun], 10);
  assert.is(control[words.finished], 10 * pieceCount(2));
  assert.equal([...y], Array<number>(32).fill(10_000));
  await end();
});

executor('leaves a list to the leader where helpers are none', async () => {
  const { control, executor, list, words: y, end } = lead(1, 8, 'slow', 1000);
  await end();
  executor.run(list, 20);
  const begun = control[words.begun];
  assert.ok(begun < 20, `${begun} of 20 are shared`);
  executor.run(list, 5);
  assert.is(control[words.begun], begun);
  assert.equal([...y], Array<number>(32).fill(25_000));
});

executor('does not share a single workgroup', async () => {
  const { control, executor, list, words: y, end } = lead(0, 1, 'add_one', 1);
  executor.run(list, 3);
  assert.is(control[words.begun], 0);
  assert.equal([...y], [3, 3, 3, 3]);
  await end();
});

executor('does the work of a helper that never comes', async () => {
  const { control, executor, list, words: y, end } = lead(0, 8, 'add_one', 1);
  await end();
  executor.run(list, 5);
  assert.is(control[words.begun], 5);
  assert.equal([...y], Array<number>(32).fill(5));
});

executor('stops when a piece fails, on whichever thread', async () => {
  const { control, executor, list, end } = lead(0, 8, 'trap', 0);
  executor.run(list, 1000);
  assert.is(control[words.begun], 1);
  assert.equal(failureIn(control), { record, text: 'unreachable' });
  executor.run(list, 1);
  assert.is(control[words.begun], 1, 'nothing is run any more');
  await end();
});

executor('times commands one after the other', async () => {
  const { executor, list, end } = lead(0, 8, 'slow', 10_000);
  const [start, stop, next, last, ...none] = executor.profile(Int32Array.of(...list, ...list));
  assert.ok(start < stop && stop <= next && next < last, `${start} ${stop} ${next} ${last}`);
  assert.is(none.length, 0);
  await end();
});

executor.run();
