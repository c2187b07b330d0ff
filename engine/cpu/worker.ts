/**
 * A thread of the CPU target. The first one is the leader: it does what the host orders, in that order. The others
 * help it with parallel commands. None ever returns to its event loop.
 */
import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { words } from './control.js';
import { Executor, Kernels } from './executor.js';
import { commandWords, type Answer, type Definition, type Order, type ThreadSetup } from './orders.js';
import { awaitOrder, help } from './team.js';

/** What a thread is started with: its number, and ports for what it is told and what it answers. */
export interface WorkerSetup extends ThreadSetup {
  readonly thread: number;
  readonly orders: MessagePort;
  readonly answers: MessagePort;
}

const receive = ({ orders }: WorkerSetup) =>
  (receiveMessageOnPort(orders) as { readonly message: Order | Definition } | undefined)?.message;

function answer({ answers }: WorkerSetup, given: Answer): void {
  const { bytes } = given;
  answers.postMessage(given, bytes === undefined ? [] : [bytes]);
}

/** Bytes of a record that the leader reads by itself: the grid and its estimate of a command's time. */
const recordHead = 16;

/** The first byte behind what an order reads or writes by itself. */
function endOf(order: Order): number {
  if (order.kind === 'settle') return 0;
  if (order.kind === 'write') return order.address + order.bytes.byteLength;
  if (order.kind === 'copy') return Math.max(order.address, order.to) + order.length;
  if (order.kind === 'zero' || order.kind === 'read') return order.address + order.length;
  let end = 0;
  for (let at = 1; at < order.list.length; at += commandWords)
    end = Math.max(end, order.list[at] + recordHead);
  return end;
}

/** A memory that the main thread has made larger is seen at its old size for a while, unless it is asked to grow. */
function refresh(memory: WebAssembly.Memory, end: number): void {
  if (memory.buffer.byteLength < end) memory.grow(0);
}

function obey(setup: WorkerSetup, executor: Executor, order: Order): void {
  const { memory } = setup;
  refresh(memory, endOf(order));
  switch (order.kind) {
    case 'run':
      return executor.run(order.list, order.times);
    case 'profile':
      return answer(setup, { id: order.id, timesMs: executor.profile(order.list) });
    case 'write':
      return new Uint8Array(memory.buffer).set(new Uint8Array(order.bytes), order.address);
    case 'zero':
      return void new Uint8Array(memory.buffer).fill(0, order.address, order.address + order.length);
    case 'read':
      return answer(setup, { id: order.id, bytes: copyOf(memory, order.address, order.length) });
    case 'copy':
      new Uint8Array(memory.buffer).copyWithin(order.to, order.address, order.address + order.length);
      return answer(setup, { id: order.id });
    case 'settle':
      return answer(setup, { id: order.id });
  }
}

function copyOf(memory: WebAssembly.Memory, address: number, length: number): ArrayBuffer {
  const copy = new Uint8Array(length);
  copy.set(new Uint8Array(memory.buffer, address, length));
  return copy.buffer;
}

function lead(setup: WorkerSetup, kernels: Kernels): never {
  const executor = new Executor(setup, kernels);
  for (;;) {
    const seen = Atomics.load(setup.control, words.posted);
    const order = receive(setup);
    if (order === undefined) awaitOrder(setup, seen);
    else if (order.kind === 'define') kernels.define(order);
    else {
      obey(setup, executor, order);
      Atomics.add(setup.control, words.done, 1);
    }
  }
}

// The main thread gave it this very type.
const setup = workerData as WorkerSetup;
const kernels = new Kernels(setup, () => receive(setup) as Definition);
if (setup.thread === 0) lead(setup, kernels);
else help(setup, setup.thread, (entry, record, first, last) => kernels.run(entry, record, first, last));
