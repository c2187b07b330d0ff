import {
  DeviceError,
  type Command,
  type CommandSpec,
  type CommandTime,
  type Device,
  type DeviceArray,
  type DeviceBuffer,
  type DeviceLimits,
  type Reader,
} from '../device.js';
import { Commands, listOf, storageBuffers, type CpuCommand, type ReadModule } from './commands.js';
import { LinearMemory, mostBytes, type CpuBuffer } from './memory.js';
import { Queue, type Threads } from './queue.js';

/** What a device on the CPU consists of. */
export interface CpuParts {
  readonly name: string;
  readonly memory: LinearMemory;
  readonly threads: Threads;
  readonly threadCount: number;
  readonly readModule: ReadModule;
}

/** A device whose kernels are WebAssembly, run by threads over one shared memory. */
export class CpuDevice implements Device {
  readonly name: string;
  readonly kind = 'cpu';
  readonly limits: DeviceLimits;
  private readonly memory: LinearMemory;
  private readonly made: Commands;
  private readonly queue: Queue;

  constructor({ name, memory, threads, threadCount, readModule }: CpuParts) {
    this.name = name;
    this.memory = memory;
    this.limits = { bindingBytes: mostBytes, storageBuffers, threads: threadCount };
    this.made = new Commands(name, memory, () => this.queue, threadCount, readModule);
    this.queue = new Queue(name, memory, threads, (failure) => this.made.explain(failure));
  }

  buffer(label: string, bytes: number): DeviceBuffer {
    this.queue.check();
    const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (padded > mostBytes) {
      throw new DeviceError(
        `${label}: needs ${padded} bytes, but ${this.name} binds at most ${mostBytes}; ` +
          'use a smaller batch or table, or another adapter',
      );
    }
    const { address, dirtyBytes } = this.memory.allocate(label, padded);
    this.queue.zero(address, dirtyBytes);
    const buffer: CpuBuffer = { label, bytes: padded, address };
    return buffer;
  }

  release(buffer: DeviceBuffer): void {
    this.memory.release((buffer as CpuBuffer).address);
  }

  upload(buffer: DeviceBuffer, data: DeviceArray, byteOffset = 0): void {
    this.queue.check();
    if (byteOffset + data.byteLength > buffer.bytes) {
      throw new DeviceError(
        `${buffer.label}: ${byteOffset + data.byteLength} bytes do not fit into ${buffer.bytes}`,
      );
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.queue.write((buffer as CpuBuffer).address + byteOffset, bytes);
  }

  reader(buffer: DeviceBuffer, bytes: number, depth: number): Reader {
    this.queue.check();
    const length = Math.ceil(bytes / 4) * 4;
    const stages = this.memory.allocate(`${buffer.label}.stages`, depth * length).address;
    let [reading, begun] = [0, 0];
    return {
      bytes: length,
      read: async () => {
        if (reading === depth) {
          throw new DeviceError(`${buffer.label}: more than ${depth} reads at once; await the first`);
        }
        reading++;
        try {
          const stage = stages + (begun++ % depth) * length;
          return await this.queue.readStaged((buffer as CpuBuffer).address, length, stage);
        } finally {
          reading--;
        }
      },
      release: () => this.memory.release(stages),
    };
  }

  async download(buffer: DeviceBuffer): Promise<ArrayBuffer> {
    return this.queue.read((buffer as CpuBuffer).address, buffer.bytes);
  }

  async commands(specs: readonly CommandSpec[]): Promise<readonly Command[]> {
    this.queue.check();
    const commands = await this.made.make(specs);
    this.queue.check();
    return commands;
  }

  releaseCommands(commands: readonly Command[]): void {
    this.queue.notice();
    this.made.release(commands as readonly CpuCommand[]);
  }

  run(commands: readonly Command[], times: number): void {
    this.queue.check();
    this.queue.post({ kind: 'run', list: listOf(commands as readonly CpuCommand[]), times });
  }

  settled(): Promise<void> {
    return this.queue.settled();
  }

  async profile(commands: readonly Command[]): Promise<readonly CommandTime[]> {
    this.queue.check();
    const times = await this.queue.profile(listOf(commands as readonly CpuCommand[]));
    const ns = (at: number) => 1e6 * (times[at] - times[0]);
    return commands.map((command, i) => ({ command, startNs: ns(2 * i), endNs: ns(2 * i + 1) }));
  }

  destroy(): void {
    this.queue.close(`${this.name}: the device was destroyed; open another`);
  }
}
