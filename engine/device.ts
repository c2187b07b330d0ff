import type { Kernel } from './kernel.js';

/** A device that was lost, refused something, or reported an error outside compile. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

/** Words for the device: f32 or u32. */
export type DeviceArray = Float32Array | Uint32Array;

/** Memory on the device. */
export interface DeviceBuffer {
  readonly label: string;
  readonly bytes: number;
}

/** A kernel launch with its memory, dims and grid fixed. */
export interface Command {
  readonly label: string;
  readonly kernel: Kernel;
  readonly workgroups: readonly [number, number, number];
}

/** What a command is made from. */
export interface CommandSpec {
  readonly label: string;
  readonly shader: string;
  readonly entry: string;
  /** By WGSL variable name. */
  readonly buffers: Readonly<Record<string, DeviceBuffer>>;
  readonly dims: Readonly<Record<string, number>>;
  /** Invocations wanted along x, y, z. */
  readonly over: readonly number[];
}

/** Copies the first `bytes` of a buffer to the host; several copies may be on their way at once. */
export interface Reader {
  readonly bytes: number;
  /** The buffer as it is after everything submitted before the call. Throws DeviceError if too many are on their way. */
  read(): Promise<ArrayBuffer>;
  /** Frees the staging buffers. */
  release(): void;
}

export interface DeviceLimits {
  /** Largest buffer that a kernel can bind. */
  readonly bindingBytes: number;
  readonly storageBuffers: number;
  /** Workgroups that run at the same time: the threads of a CPU; Infinity where they are many. */
  readonly threads: number;
}

/** Time of one command, in nanoseconds from the start of the profile. */
export interface CommandTime {
  readonly command: Command;
  readonly startNs: number;
  readonly endNs: number;
}

/**
 * The whole surface between plans and what executes them: WebGPU in webgpu.ts, threads with WebAssembly in cpu/. Anything
 * that can make memory, copy it in and out, and run a list of kernel launches in order can stand behind it too.
 */
export interface Device {
  /** Adapter name, for people. */
  readonly name: string;
  /** 'software' is a Vulkan driver that computes on the CPU, 'cpu' are our own kernels there. */
  readonly kind: 'gpu' | 'software' | 'cpu';
  readonly limits: DeviceLimits;
  /** Zeroed memory. */
  buffer(label: string, bytes: number): DeviceBuffer;
  release(buffer: DeviceBuffer): void;
  /** Ordered with run(): work submitted before sees the old data, work after it the new. */
  upload(buffer: DeviceBuffer, data: DeviceArray, byteOffset?: number): void;
  /** Makes a reader with `depth` staging buffers, so that reading later creates nothing. */
  reader(buffer: DeviceBuffer, bytes: number, depth: number): Reader;
  /** One-off copy to the host, for checkpoints and tests. */
  download(buffer: DeviceBuffer): Promise<ArrayBuffer>;
  /** Compiles kernels, in parallel, and fixes memory, dims and grids. Throws KernelError. */
  commands(specs: readonly CommandSpec[]): Promise<readonly Command[]>;
  /** Frees what commands() made. */
  releaseCommands(commands: readonly Command[]): void;
  /** Submits `commands`, `times` over, as one piece of work; does not wait. Throws DeviceError once lost. */
  run(commands: readonly Command[], times: number): void;
  /** Resolves when everything submitted so far is done. Throws DeviceError. */
  settled(): Promise<void>;
  /** Runs `commands` once, timing each; undefined if the device cannot. */
  profile(commands: readonly Command[]): Promise<readonly CommandTime[] | undefined>;
  destroy(): void;
}
