import type { Command, CommandSpec, Device } from './device.js';
import { KernelError, findKernel, gridOf, writeDims, type Kernel } from './kernel.js';
import { reflect } from './reflect.js';
import type { GpuMemory } from './webgpu_memory.js';

/** A command with the objects that are set before its dispatch. */
export interface GpuCommand extends Command {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** Holds the dims of all commands that were made together. */
  readonly slab: GPUBuffer;
}

interface Shader {
  readonly module: GPUShaderModule;
  readonly kernels: ReadonlyMap<string, Kernel>;
}

/** Offsets of uniform bindings: WebGPU guarantees that 256 suits every adapter. */
const uniformAlignment = 256;

/**
 * Invocations of a looping entry on a software adapter: enough for the lanes of every core, few enough that starting
 * them, which costs as much as several vec4s of work, is not what takes the time.
 */
const softwareInvocations = 2048;

/** Compiles shaders and pipelines, each once, and binds them. */
export class Kernels {
  private readonly shaders = new Map<string, Promise<Shader>>();
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(
    private readonly gpu: GPUDevice,
    private readonly name: string,
    private readonly kind: Device['kind'],
    private readonly readShader: (name: string) => string,
  ) {}

  private shader(name: string): Promise<Shader> {
    const known = this.shaders.get(name);
    if (known !== undefined) return known;
    const loading = this.loadShader(name);
    this.shaders.set(name, loading);
    return loading;
  }

  private source(name: string): string {
    try {
      return this.readShader(name);
    } catch (error) {
      throw new KernelError(`${name}.wgsl: cannot be read: ${(error as Error).message}`);
    }
  }

  private async loadShader(name: string): Promise<Shader> {
    const source = this.source(name);
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

  private async kernel(spec: CommandSpec): Promise<Kernel> {
    const { kernels } = await this.shader(spec.shader);
    return findKernel(kernels, spec, this.name, this.gpu.limits.maxStorageBuffersPerShaderStage);
  }

  private pipeline({ shader, entry, dims }: CommandSpec, kernel: Kernel): Promise<GPUComputePipeline> {
    const constants = Object.fromEntries(kernel.overrides.map((name) => [name, dims[name] ?? 0]));
    const label = `${shader}/${entry}`;
    const key = `${label} ${JSON.stringify(constants)}`;
    const known = this.pipelines.get(key);
    if (known !== undefined) return known;
    const making = this.shader(shader).then(({ module }) =>
      this.gpu.createComputePipelineAsync({
        label,
        layout: 'auto',
        compute: { module, entryPoint: entry, constants },
      }),
    );
    this.pipelines.set(key, making);
    return making;
  }

  /** See Device.commands. */
  async commands(specs: readonly CommandSpec[]): Promise<readonly GpuCommand[]> {
    if (specs.length === 0) return [];
    const kernels = await Promise.all(specs.map((spec) => this.kernel(spec)));
    const pipelines = await Promise.all(
      specs.map((spec, i) =>
        this.pipeline(spec, kernels[i]).catch((error: unknown) => {
          throw new KernelError(`${spec.shader}.wgsl: ${spec.entry}: ${String(error)}`);
        }),
      ),
    );
    const grids = specs.map(({ over }, i) => this.grid(kernels[i], over));
    const dims = dimsOf(specs, kernels);
    this.gpu.pushErrorScope('validation');
    const slab = this.dimsSlab(dims);
    const commands = specs.map((spec, i): GpuCommand => ({
      label: spec.label,
      kernel: kernels[i],
      workgroups: grids[i],
      pipeline: pipelines[i],
      group: this.bind(spec, kernels[i], pipelines[i], slab, i * uniformAlignment),
      slab,
    }));
    const error = await this.gpu.popErrorScope();
    if (error === null) return commands;
    slab.destroy();
    throw new KernelError(error.message.trim());
  }

  private dimsSlab(dims: ArrayBuffer): GPUBuffer {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const slab = this.gpu.createBuffer({ label: 'dims', size: dims.byteLength, usage });
    this.gpu.queue.writeBuffer(slab, 0, dims);
    return slab;
  }

  private bind(
    { label, buffers }: CommandSpec,
    kernel: Kernel,
    pipeline: GPUComputePipeline,
    slab: GPUBuffer,
    offset: number,
  ): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = kernel.storage.map(({ name, binding }) => ({
      binding,
      resource: { buffer: (buffers[name] as GpuMemory).gpu },
    }));
    if (kernel.dims !== undefined) {
      const { binding, bytes } = kernel.dims;
      entries.push({ binding, resource: { buffer: slab, offset, size: bytes } });
    }
    return this.gpu.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
  }

  private grid(kernel: Kernel, over: readonly number[]): [number, number, number] {
    const limit = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    const loops = this.kind === 'software' ? Math.ceil(softwareInvocations / kernel.workgroup[0]) : limit;
    return gridOf(kernel, over, { x: limit, yz: limit, loops });
  }
}

function dimsOf(specs: readonly CommandSpec[], kernels: readonly Kernel[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(specs.length * uniformAlignment));
  specs.forEach(({ dims }, i) => writeDims(kernels[i], dims, view, i * uniformAlignment));
  return view.buffer;
}

/** Sets up and launches one command. */
export function encode(pass: GPUComputePassEncoder, { pipeline, group, workgroups }: GpuCommand): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
}
