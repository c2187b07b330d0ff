/** Starts the threads of the CPU target. With worker.ts the only part of it that knows Node. */
import { availableParallelism, cpus } from 'node:os';
import { MessageChannel, SHARE_ENV, Worker } from 'node:worker_threads';
import { makeControl, words } from './control.js';
import { DeviceError, type Device } from '../device.js';
import type { ReadModule } from './commands.js';
import { CpuDevice } from './cpu.js';
import { LinearMemory } from './memory.js';
import type { Answer, Definition, Order, ThreadSetup } from './orders.js';
import type { Threads } from './queue.js';
import type { WorkerSetup } from './worker.js';

/** What a device on the CPU is opened with. */
export interface CpuOptions {
  /** Threads that compute; all cores if absent. */
  readonly threads?: number;
  /** The bytes of `dist/shaders/<name>.wasm`, or of the checked kernels. */
  readonly readModule: ReadModule;
  /** Commands that take one thread less are not shared among the threads; 0 shares all, for tests. */
  readonly smallNs?: number;
}

const mostThreads = 1024;

/** Time from which on sharing a command, which takes some 0.4 µs, pays. */
const usualSmallNs = 3_000;

/** As long as waking takes, and longer than a few small commands; short enough not to heat an idle machine. */
const usualSpinMs = 0.05;

/** What this machine's CPU is called: `AMD EPYC 7763`. */
export const cpuModel = (): string => cpus()[0]?.model.replace(/\s+/g, ' ').trim() || process.arch;

/** Opens the CPU as a device. Throws DeviceError. */
export async function openCpu({
  threads = availableParallelism(),
  readModule,
  smallNs = usualSmallNs,
}: CpuOptions): Promise<Device> {
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
    throw new DeviceError(`CPU: ${threads} threads; give a whole number of 1 … ${mostThreads}`);
  }
  const name = `CPU: ${cpuModel()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const memory = new LinearMemory(name);
  const spinMs = threads > availableParallelism() ? 0 : usualSpinMs;
  const setup = { memory: memory.memory, control: makeControl(threads), threads, spinMs, smallNs };
  return new CpuDevice({ name, memory, threads: startThreads(setup), threadCount: threads, readModule });
}

/** Starts the leader and its helpers. They keep no process alive but while an answer is awaited. */
export function startThreads(setup: ThreadSetup): Threads {
  const { control, threads } = setup;
  const answers = new MessageChannel();
  const orders = Array.from({ length: threads }, () => new MessageChannel());
  const workers = orders.map(({ port2 }, thread) => {
    const ports = { orders: port2, ...(thread === 0 && { answers: answers.port2 }) };
    const workerData = { ...setup, thread, ...ports } as WorkerSetup;
    const transferList = Object.values(ports);
    // Flags of the process are none of a thread's; some (--input-type) even keep it from starting.
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData,
      transferList,
      execArgv: [],
      env: SHARE_ENV,
    });
    worker.unref();
    return worker;
  });
  return {
    control,
    define(definition: Definition) {
      for (const { port1 } of orders) port1.postMessage(definition);
    },
    post(order: Order) {
      const moved = order.kind === 'write' ? [order.bytes] : [];
      orders[0].port1.postMessage(order, moved);
      Atomics.add(control, words.posted, 1);
      Atomics.notify(control, words.posted);
    },
    listen(answered: (answer: Answer) => void, died: (why: string) => void) {
      answers.port1.on('message', answered);
      answers.port1.unref();
      for (const worker of workers) {
        worker.on('error', (error) => died(error.message));
        worker.on('exit', (code) => died(`exit code ${code}`));
      }
    },
    hold(waiting: boolean) {
      if (waiting) answers.port1.ref();
      else answers.port1.unref();
    },
    terminate() {
      for (const worker of workers) void worker.terminate();
    },
  };
}
