import type { Command, CommandSpec } from '../device.js';
import { KernelError, findKernel, gridOf, writeDims, type Kernel } from '../kernel.js';
import type { Failure } from './control.js';
import type { CpuBuffer, LinearMemory } from './memory.js';
import { commandWords } from './orders.js';
import type { Queue } from './queue.js';

/** The bytes of `dist/shaders/<name>.wasm`. */
export type ReadModule = (name: string) => Promise<Uint8Array>;

/** A command with what the threads know it by. */
export interface CpuCommand extends Command {
  readonly entry: number;
  /** Address of its grid, dims and buffers. */
  readonly record: number;
  /** Address of the records of all commands that were made together. */
  readonly slab: number;
}

interface Shader {
  readonly kernels: ReadonlyMap<string, Kernel>;
  /** Number of each entry for the threads. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Storage buffers of one entry: what WebGPU guarantees at least, so that a kernel that runs here runs everywhere. */
export const storageBuffers = 8;

/** Workgroups along y and z end where those of WebGPU do, for the same reason. */
const mostGroups = 65535;

/** Invocations of an entry that loops: enough to share among some threads; with more threads, groups for each. */
const loopInvocations = 2048;
const groupsPerThread = 8;

/** Bytes of a record before the dims, and of a buffer in it. */
const headBytes = 16;
const bufferBytes = 8;

/** Bytes of the record of a command. */
export const recordBytes = ({ dims, storage }: Kernel): number =>
  Math.ceil((headBytes + (dims?.bytes ?? 0) + bufferBytes * storage.length) / 16) * 16;

/** Loads modules, each once, and makes commands of their entries. */
export class Commands {
  private readonly shaders = new Map<string, Promise<Shader>>();
  private entries = 0;
  /** By the address of their record. */
  private readonly live = new Map<number, CpuCommand>();
  private readonly buffers = new Map<number, readonly CpuBuffer[]>();

  constructor(
    private readonly name: string,
    private readonly memory: LinearMemory,
    private readonly queue: () => Queue,
    private readonly threads: number,
    private readonly readModule: ReadModule,
  ) {}

  private shader(name: string): Promise<Shader> {
    const known = this.shaders.get(name);
    if (known !== undefined) return known;
    const loading = this.loadShader(name);
    this.shaders.set(name, loading);
    return loading;
  }

  private async loadShader(name: string): Promise<Shader> {
    const bytes = await this.readModule(name).catch((error: unknown) => {
      throw new KernelError(`${name}.wasm: cannot be read: ${(error as Error).message}; run npm run build`);
    });
    const module = await WebAssembly.compile(bytes).catch((error: unknown) => {
      throw new KernelError(`${name}.wasm: does not load: ${(error as Error).message}; run npm run build`);
    });
    const kernels = kernelsIn(name, module);
    const entries = [...kernels.keys()];
    const first = this.entries;
    this.entries += entries.length;
    this.queue().define({ kind: 'define', module, first, entries });
    return { kernels, numbers: new Map(entries.map((entry, i) => [entry, first + i])) };
  }

  /** See Device.commands. */
  async make(specs: readonly CommandSpec[]): Promise<readonly CpuCommand[]> {
    if (specs.length === 0) return [];
    const shaders = await Promise.all(specs.map(({ shader }) => this.shader(shader)));
    const kernels = specs.map((spec, i) => findKernel(shaders[i].kernels, spec, this.name, storageBuffers));
    specs.forEach((spec, i) => checkSizes(spec, kernels[i]));
    const grids = specs.map(({ over }, i) => this.grid(kernels[i], over));
    const offsets = [0];
    for (const kernel of kernels) offsets.push(offsets[offsets.length - 1] + recordBytes(kernel));
    const view = new DataView(new ArrayBuffer(offsets[specs.length]));
    specs.forEach((spec, i) => writeRecord(view, offsets[i], spec, kernels[i], grids[i]));
    const slab = this.memory.allocate('records', view.byteLength).address;
    this.queue().write(slab, new Uint8Array(view.buffer));
    return specs.map((spec, i) => {
      const entry = shaders[i].numbers.get(spec.entry) as number;
      const record = slab + offsets[i];
      const command = { label: spec.label, kernel: kernels[i], workgroups: grids[i], entry, record, slab };
      this.live.set(record, command);
      this.buffers.set(
        record,
        kernels[i].storage.map(({ name }) => spec.buffers[name] as CpuBuffer),
      );
      return command;
    });
  }

  private grid(kernel: Kernel, over: readonly number[]): [number, number, number] {
    const forThreads = groupsPerThread * this.threads;
    const loops = Math.max(Math.ceil(loopInvocations / kernel.workgroup[0]), forThreads);
    return gridOf(kernel, over, { x: Infinity, yz: mostGroups, loops });
  }

  /** See Device.releaseCommands. */
  release(commands: readonly CpuCommand[]): void {
    for (const { record } of commands) {
      this.live.delete(record);
      this.buffers.delete(record);
    }
    for (const slab of new Set(commands.map((command) => command.slab))) this.memory.release(slab);
  }

  /** What went wrong, in words: the command, and the buffer with index and length where they are known. */
  explain({ record, outside, text }: Failure): string {
    const command = this.live.get(record);
    if (command === undefined) return `a command that is released since: ${text}`;
    const { label, kernel } = command;
    const where = `${label}: ${kernel.entry} of ${kernel.shader}.wgsl`;
    const at = kernel.storage.findIndex(({ binding }) => binding === outside?.binding);
    const buffer = this.buffers.get(record)?.[at];
    if (outside === undefined || buffer === undefined) {
      return `${where}: ${text}${text.includes('out of bounds') ? '; --check finds the index' : ''}`;
    }
    const of = `"${kernel.storage[at].name}" (${buffer.label}, ${buffer.bytes} bytes)`;
    return `${where}: index ${outside.index} is outside ${of}`;
  }
}

/** The kernels that the compiler has noted in a module. Throws KernelError. */
export function kernelsIn(name: string, module: WebAssembly.Module): ReadonlyMap<string, Kernel> {
  const [section] = WebAssembly.Module.customSections(module, 'kernels');
  if (section === undefined) {
    throw new KernelError(`${name}.wasm: has no section "kernels"; run npm run build`);
  }
  return new Map(Object.entries(JSON.parse(new TextDecoder().decode(section)) as Record<string, Kernel>));
}

/** Throws KernelError for a buffer that is smaller than what the kernel takes it for. */
function checkSizes({ label, buffers }: CommandSpec, { entry, storage }: Kernel): void {
  for (const { name, bytes } of storage) {
    const buffer = buffers[name];
    if (buffer.bytes >= bytes) continue;
    throw new KernelError(
      `${label}: ${entry} binds ${buffer.label} of ${buffer.bytes} bytes as "${name}", which takes ${bytes} or more`,
    );
  }
}

/** Grid, dims, and address and length of each buffer, as compiled entries read them. */
export function writeRecord(
  view: DataView,
  at: number,
  { dims, buffers }: Pick<CommandSpec, 'dims' | 'buffers'>,
  kernel: Kernel,
  grid: readonly number[],
): void {
  grid.forEach((groups, axis) => view.setUint32(at + 4 * axis, groups, true));
  writeDims(kernel, dims, view, at + headBytes);
  const list = at + headBytes + (kernel.dims?.bytes ?? 0);
  kernel.storage.forEach(({ name }, i) => {
    const { address, bytes } = buffers[name] as CpuBuffer;
    view.setUint32(list + bufferBytes * i, address, true);
    view.setUint32(list + bufferBytes * i + 4, bytes, true);
  });
}

/** What the leader reads of a list of commands. */
export function listOf(commands: readonly CpuCommand[]): Int32Array {
  const list = new Int32Array(commandWords * commands.length);
  commands.forEach(({ entry, record, workgroups: [x, y, z] }, i) => {
    list.set([entry, record, x * y * z], commandWords * i);
  });
  return list;
}
