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
} from './device.js';
import { Failures } from './webgpu_failures.js';
import { Kernels, encode, type GpuCommand } from './webgpu_kernels.js';
import { copyOut, makeMemory, makeReader, makeStaging, type GpuMemory } from './webgpu_memory.js';
import { profileCommands } from './webgpu_profile.js';

/** What a WebGPU device needs from outside: the engine itself reads no files and knows no platform. */
export interface WebGpuOptions {
  readonly adapter: GPUAdapter;
  readonly name: string;
  readonly kind: 'gpu' | 'software';
  /** The text of shaders/<name>.wgsl. */
  readonly readShader: (name: string) => string;
}

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
] as const;

/** Opens `adapter` with the largest limits it offers and timestamps where it has them. */
export async function openWebGpu({ adapter, name, kind, readShader }: WebGpuOptions): Promise<Device> {
  const requiredLimits = Object.fromEntries(wantedLimits.map((limit) => [limit, adapter.limits[limit]]));
  const requiredFeatures = (['timestamp-query'] as const).filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  return new WebGpuDevice(device, name, kind, readShader);
}

class WebGpuDevice implements Device {
  readonly limits: DeviceLimits;
  private readonly failures: Failures;
  private readonly kernels: Kernels;

  constructor(
    private readonly gpu: GPUDevice,
    readonly name: string,
    readonly kind: 'gpu' | 'software',
    readShader: (name: string) => string,
  ) {
    this.limits = {
      bindingBytes: Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize),
      storageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
      threads: Infinity,
    };
    this.failures = new Failures(gpu, name);
    this.kernels = new Kernels(gpu, name, kind, readShader);
  }

  buffer(label: string, bytes: number): DeviceBuffer {
    this.failures.check();
    const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (padded > this.limits.bindingBytes) {
      throw new DeviceError(
        `${label}: needs ${padded} bytes, but ${this.name} binds at most ${this.limits.bindingBytes}; ` +
          'use a smaller batch or table, or another adapter',
      );
    }
    return makeMemory(this.gpu, this.failures, label, padded);
  }

  release(buffer: DeviceBuffer): void {
    (buffer as GpuMemory).gpu.destroy();
  }

  upload(buffer: DeviceBuffer, data: DeviceArray, byteOffset = 0): void {
    this.failures.check();
    if (byteOffset + data.byteLength > buffer.bytes) {
      throw new DeviceError(
        `${buffer.label}: ${byteOffset + data.byteLength} bytes do not fit into ${buffer.bytes}`,
      );
    }
    // Dawn's binding crashes on shared memory.
    const own = data.buffer instanceof SharedArrayBuffer ? data.slice() : data;
    this.gpu.queue.writeBuffer((buffer as GpuMemory).gpu, byteOffset, own as GPUAllowSharedBufferSource);
  }

  reader(buffer: DeviceBuffer, bytes: number, depth: number): Reader {
    this.failures.check();
    return makeReader(this.gpu, this.failures, buffer as GpuMemory, bytes, depth);
  }

  async download(buffer: DeviceBuffer): Promise<ArrayBuffer> {
    const staging = makeStaging(this.gpu, buffer.label, buffer.bytes);
    try {
      return await copyOut(this.gpu, this.failures, (buffer as GpuMemory).gpu, staging);
    } finally {
      staging.destroy();
    }
  }

  async commands(specs: readonly CommandSpec[]): Promise<readonly Command[]> {
    this.failures.check();
    const commands = await this.kernels.commands(specs);
    this.failures.check();
    return commands;
  }

  releaseCommands(commands: readonly Command[]): void {
    const slabs = new Set((commands as readonly GpuCommand[]).map(({ slab }) => slab));
    for (const slab of slabs) slab.destroy();
  }

  run(commands: readonly Command[], times: number): void {
    this.failures.check();
    const encoder = this.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let time = 0; time < times; time++) {
      for (const command of commands as readonly GpuCommand[]) encode(pass, command);
    }
    pass.end();
    this.gpu.queue.submit([encoder.finish()]);
  }

  async settled(): Promise<void> {
    await this.gpu.queue.onSubmittedWorkDone();
    this.failures.check();
  }

  async profile(commands: readonly Command[]): Promise<readonly CommandTime[] | undefined> {
    this.failures.check();
    if (!this.gpu.features.has('timestamp-query')) return undefined;
    return profileCommands(this.gpu, this.failures, commands as readonly GpuCommand[]);
  }

  destroy(): void {
    this.failures.close();
    this.gpu.destroy();
  }
}
