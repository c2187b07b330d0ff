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
import { KernelError, checkBuffers, reflect, writeDims, type Kernel } from './kernel.js';

interface GpuMemory extends DeviceBuffer {
  readonly gpu: GPUBuffer;
}

interface GpuCommand extends Command {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly slab: GPUBuffer | undefined;
}

interface Shader {
  readonly module: GPUShaderModule;
  readonly kernels: ReadonlyMap<string, Kernel>;
}

/** What a WebGPU device needs from outside: the engine itself reads no files and knows no platform. */
export interface WebGpuOptions {
  readonly adapter: GPUAdapter;
  readonly name: string;
  readonly kind: 'gpu' | 'software';
  /** The text of shaders/<name>.wgsl. */
  readonly readShader: (name: string) => string;
}

/** Offsets of uniform bindings: WebGPU guarantees that 256 suits every adapter. */
const uniformAlignment = 256;
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
  private readonly shaders = new Map<string, Promise<Shader>>();
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();
  private failure: DeviceError | undefined;
  private destroyed = false;

  constructor(
    private readonly gpu: GPUDevice,
    readonly name: string,
    readonly kind: 'gpu' | 'software',
    private readonly readShader: (name: string) => string,
  ) {
    this.limits = {
      bindingBytes: Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize),
      storageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
    };
    gpu.addEventListener('uncapturederror', (event) => {
      this.failure ??= new DeviceError(`${name}: ${event.error.message.trim()}`);
    });
    void gpu.lost.then(({ reason, message }) => {
      if (!this.destroyed)
        this.failure = new DeviceError(`${name}: device lost (${reason}): ${message.trim()}`);
    });
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  buffer(label: string, bytes: number): DeviceBuffer {
    this.check();
    const padded = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (padded > this.limits.bindingBytes) {
      throw new DeviceError(
        `${label}: needs ${padded} bytes, but ${this.name} binds at most ${this.limits.bindingBytes}; ` +
          'use a smaller batch or table, or another adapter',
      );
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const memory: GpuMemory = {
      label,
      bytes: padded,
      gpu: this.gpu.createBuffer({ label, size: padded, usage }),
    };
    return memory;
  }

  release(buffer: DeviceBuffer): void {
    (buffer as GpuMemory).gpu.destroy();
  }

  upload(buffer: DeviceBuffer, data: DeviceArray, byteOffset = 0): void {
    this.check();
    if (byteOffset + data.byteLength > buffer.bytes) {
      throw new DeviceError(
        `${buffer.label}: ${byteOffset + data.byteLength} bytes do not fit into ${buffer.bytes}`,
      );
    }
    this.gpu.queue.writeBuffer((buffer as GpuMemory).gpu, byteOffset, data as GPUAllowSharedBufferSource);
  }

  reader(buffer: DeviceBuffer, bytes: number, depth: number): Reader {
    const size = Math.ceil(bytes / 4) * 4;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const ring = Array.from({ length: depth }, () =>
      this.gpu.createBuffer({ label: `${buffer.label}.staging`, size, usage }),
    );
    let turn = 0;
    const free = ring.map(() => Promise.resolve());
    const read = async () => {
      const slot = turn++ % depth;
      const before = free[slot];
      let release = () => {};
      free[slot] = new Promise((resolve) => (release = resolve));
      await before;
      try {
        return await this.copyOut((buffer as GpuMemory).gpu, ring[slot], size);
      } finally {
        release();
      }
    };
    return { bytes: size, read };
  }

  private async copyOut(from: GPUBuffer, staging: GPUBuffer, size: number): Promise<ArrayBuffer> {
    this.check();
    const encoder = this.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, staging, 0, size);
    this.gpu.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      await Promise.resolve();
      throw this.failure ?? new DeviceError(`${this.name}: reading back failed: ${String(error)}`);
    }
    const copy = staging.getMappedRange().slice(0);
    staging.unmap();
    this.check();
    return copy;
  }

  async download(buffer: DeviceBuffer): Promise<ArrayBuffer> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.gpu.createBuffer({ label: `${buffer.label}.download`, size: buffer.bytes, usage });
    try {
      return await this.copyOut((buffer as GpuMemory).gpu, staging, buffer.bytes);
    } finally {
      staging.destroy();
    }
  }

  private shader(name: string): Promise<Shader> {
    const known = this.shaders.get(name);
    if (known !== undefined) return known;
    const loading = this.loadShader(name);
    this.shaders.set(name, loading);
    return loading;
  }

  private async loadShader(name: string): Promise<Shader> {
    const source = this.readShader(name);
    this.gpu.pushErrorScope('validation');
    const module = this.gpu.createShaderModule({ label: name, code: source });
    const [info, error] = await Promise.all([module.getCompilationInfo(), this.gpu.popErrorScope()]);
    const message = info.messages.find(({ type }) => type === 'error');
    if (message !== undefined) {
      throw new KernelError(`${name}.wgsl:${message.lineNum}:${message.linePos}: ${message.message}`);
    }
    if (error !== null) throw new KernelError(`${name}.wgsl: ${error.message.trim()}`);
    return { module, kernels: reflect(name, source) };
  }

  private async kernel({ shader, entry, buffers }: CommandSpec): Promise<Kernel> {
    const { kernels } = await this.shader(shader);
    const kernel = kernels.get(entry);
    if (kernel === undefined) throw new KernelError(`${shader}.wgsl: has no entry ${entry}`);
    checkBuffers(kernel, Object.keys(buffers));
    if (kernel.storage.length > this.limits.storageBuffers) {
      throw new KernelError(
        `${entry}: binds ${kernel.storage.length} storage buffers, but ${this.name} has ${this.limits.storageBuffers}`,
      );
    }
    return kernel;
  }

  private pipeline({ shader, entry }: CommandSpec): Promise<GPUComputePipeline> {
    const key = `${shader}/${entry}`;
    const known = this.pipelines.get(key);
    if (known !== undefined) return known;
    const making = this.shader(shader).then(({ module }) =>
      this.gpu.createComputePipelineAsync({
        label: key,
        layout: 'auto',
        compute: { module, entryPoint: entry },
      }),
    );
    this.pipelines.set(key, making);
    return making;
  }

  async commands(specs: readonly CommandSpec[]): Promise<readonly Command[]> {
    this.check();
    const kernels = await Promise.all(specs.map((spec) => this.kernel(spec)));
    const pipelines = await Promise.all(
      specs.map((spec) =>
        this.pipeline(spec).catch((error: unknown) => {
          throw new KernelError(`${spec.shader}.wgsl: ${spec.entry}: ${String(error)}`);
        }),
      ),
    );
    const slab = this.dimsSlab(specs, kernels);
    this.gpu.pushErrorScope('validation');
    const commands = specs.map((spec, i): GpuCommand => ({
      label: spec.label,
      kernel: kernels[i],
      workgroups: this.grid(kernels[i], spec.over),
      pipeline: pipelines[i],
      group: this.bind(spec, kernels[i], pipelines[i], slab, i * uniformAlignment),
      slab,
    }));
    const error = await this.gpu.popErrorScope();
    if (error !== null) throw new KernelError(error.message.trim());
    return commands;
  }

  private dimsSlab(specs: readonly CommandSpec[], kernels: readonly Kernel[]): GPUBuffer | undefined {
    if (specs.length === 0) return undefined;
    const view = new DataView(new ArrayBuffer(specs.length * uniformAlignment));
    specs.forEach(({ dims }, i) => writeDims(kernels[i], dims, view, i * uniformAlignment));
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const slab = this.gpu.createBuffer({ label: 'dims', size: view.byteLength, usage });
    this.gpu.queue.writeBuffer(slab, 0, view.buffer);
    return slab;
  }

  private bind(
    { label, buffers }: CommandSpec,
    kernel: Kernel,
    pipeline: GPUComputePipeline,
    slab: GPUBuffer | undefined,
    offset: number,
  ): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = kernel.storage.map(({ name, binding }) => ({
      binding,
      resource: { buffer: (buffers[name] as GpuMemory).gpu },
    }));
    if (kernel.dims !== undefined && slab !== undefined) {
      const { binding, bytes } = kernel.dims;
      entries.push({ binding, resource: { buffer: slab, offset, size: bytes } });
    }
    return this.gpu.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
  }

  /** Workgroups that cover `over`; entries over more elements than fit loop with the grid's stride. */
  private grid({ workgroup, entry }: Kernel, over: readonly number[]): [number, number, number] {
    const limit = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    const groups = workgroup.map((threads, axis) => Math.ceil((over[axis] ?? 1) / threads));
    if (groups[1] > limit || groups[2] > limit) {
      throw new KernelError(
        `${entry}: ${groups.join('×')} workgroups, but y and z end at ${limit}; use a smaller batch`,
      );
    }
    return [Math.min(groups[0], limit), groups[1], groups[2]];
  }

  releaseCommands(commands: readonly Command[]): void {
    for (const slab of new Set((commands as readonly GpuCommand[]).map((command) => command.slab)))
      slab?.destroy();
  }

  run(commands: readonly Command[], times: number): void {
    this.check();
    const encoder = this.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let time = 0; time < times; time++) {
      for (const command of commands as readonly GpuCommand[]) {
        pass.setPipeline(command.pipeline);
        pass.setBindGroup(0, command.group);
        pass.dispatchWorkgroups(...command.workgroups);
      }
    }
    pass.end();
    this.gpu.queue.submit([encoder.finish()]);
  }

  async settled(): Promise<void> {
    await this.gpu.queue.onSubmittedWorkDone();
    this.check();
  }

  async profile(commands: readonly Command[]): Promise<readonly CommandTime[] | undefined> {
    this.check();
    if (!this.gpu.features.has('timestamp-query')) return undefined;
    const times = await this.timestamps(commands as readonly GpuCommand[]);
    const origin = times[0] ?? 0n;
    return commands.map((command, i) => ({
      command,
      startNs: Number(times[2 * i] - origin),
      endNs: Number(times[2 * i + 1] - origin),
    }));
  }

  /** One pass per command, since timestamps are written where a pass begins and ends. */
  private async timestamps(commands: readonly GpuCommand[]): Promise<BigUint64Array> {
    const perQuerySet = 2048; // commands: a query set holds at most 4096 timestamps
    const all = new BigUint64Array(2 * commands.length);
    for (let start = 0; start < commands.length; start += perQuerySet) {
      all.set(await this.timestampsOf(commands.slice(start, start + perQuerySet)), 2 * start);
    }
    return all;
  }

  private async timestampsOf(commands: readonly GpuCommand[]): Promise<BigUint64Array> {
    const querySet = this.gpu.createQuerySet({ type: 'timestamp', count: 2 * commands.length });
    const size = 16 * commands.length;
    const resolved = this.gpu.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = this.gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.gpu.createCommandEncoder();
    commands.forEach((command, i) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      pass.setPipeline(command.pipeline);
      pass.setBindGroup(0, command.group);
      pass.dispatchWorkgroups(...command.workgroups);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * commands.length, resolved, 0);
    this.gpu.queue.submit([encoder.finish()]);
    try {
      return new BigUint64Array(await this.copyOut(resolved, staging, size));
    } finally {
      for (const one of [querySet, resolved, staging]) one.destroy();
    }
  }

  destroy(): void {
    this.destroyed = true;
    this.gpu.destroy();
  }
}
