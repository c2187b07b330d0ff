import { findKernel, type Kernel } from '../kernel.js';
import { kernelsIn, recordBytes, storageBuffers, writeRecord } from './commands.js';
import { OutsideError } from './control.js';

/** Most pages of 64 KiB: all that 32 bits address, as compiled modules want it. */
const mostPages = 65536;
const pageBytes = 65536;
/** Where buffers and records begin: each on a cache line of its own. */
const line = 64;

type Entry = (record: number, first: number, last: number) => void;

interface Loaded {
  readonly kernels: ReadonlyMap<string, Kernel>;
  readonly exports: WebAssembly.Instance['exports'];
}

/** Runs an entry to its end. Throws KernelError for dims that it does not have. */
export type HostCommand = (dims: Readonly<Record<string, number>>) => void;

/** Compiled kernels that the calling thread runs by itself and at once, over a memory of their own. */
export class HostKernels {
  private readonly memory = new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared: true });
  private readonly modules = new Map<string, Loaded>();
  private end = line;

  /** Throws RangeError where a process gets no addresses for the memory. */
  constructor(
    /** The bytes of `dist/shaders/<name>.wasm`. */
    private readonly readModule: (name: string) => Uint8Array,
  ) {}

  /** Zeroed words that kernels can reach, for as long as this lives. Throws RangeError if there is no room. */
  words(count: number): Uint32Array {
    const at = this.end;
    const end = Math.ceil((at + 4 * count) / line) * line;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes));
    this.end = end;
    return new Uint32Array(this.memory.buffer, at, count);
  }

  /**
   * One workgroup of an entry on buffers that `words` gave, by WGSL variable; a grid's stride takes it over all
   * invocations. Throws KernelError unless it has such buffers.
   */
  command(shader: string, entry: string, words: Readonly<Record<string, Uint32Array>>): HostCommand {
    const { kernels, exports } = this.load(shader);
    const places = Object.entries(words).map(
      ([name, { byteOffset, byteLength }]) =>
        [name, { label: name, bytes: byteLength, address: byteOffset }] as const,
    );
    const spec = { label: entry, shader, entry, buffers: Object.fromEntries(places), over: [1] };
    const kernel = findKernel(kernels, spec, 'the host', storageBuffers);
    const record = this.words(recordBytes(kernel) / 4);
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const run = exports[entry] as Entry;
    return (dims) => {
      writeRecord(view, 0, { ...spec, dims }, kernel, [1, 1, 1]);
      run(record.byteOffset, 0, 1);
    };
  }

  private load(shader: string): Loaded {
    const known = this.modules.get(shader);
    if (known !== undefined) return known;
    const module = new WebAssembly.Module(this.readModule(shader));
    const fail = (binding: number, index: number) => {
      throw new OutsideError(binding, index >>> 0);
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory, fail } });
    const loaded = { kernels: kernelsIn(shader, module), exports };
    this.modules.set(shader, loaded);
    return loaded;
  }
}
