import { readShader, type FoundAdapter } from '../../engine/adapter.js';
import { openWebGpu, type Device } from '../../engine/index.js';
import { testAdapter } from './adapters.js';

/** A device of the engine whose WebGPU calls are counted. */
export interface CountedDevice {
  readonly device: Device;
  /** The device underneath, to break it. */
  readonly gpu: GPUDevice;
  /** Calls by method since the last reset: of the device, its queue, its encoders, passes and buffers. */
  calls(method: string): number;
  /** Names of the create… methods that were called since the last reset. */
  created(): string[];
  reset(): void;
  /** Buffers that were made and not destroyed. */
  readonly liveBuffers: ReadonlySet<GPUBuffer>;
}

interface CountedOptions {
  /** Shader texts by name, before those of shaders/. */
  readonly shaders?: Readonly<Record<string, string>>;
  readonly found?: FoundAdapter;
}

type Method = (...args: unknown[]) => unknown;

/** Puts a counter before every method; `after` sees what a call returned. */
function wrap(
  target: object,
  count: (method: string) => void,
  after: (method: string, result: object) => void,
) {
  const methods = target as Record<string, Method>;
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(target))) {
    const method = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(target), name)?.value as unknown;
    if (typeof method !== 'function' || name === 'constructor') continue;
    methods[name] = (...args) => {
      count(name);
      const result = (method as Method).apply(target, args);
      if (typeof result === 'object' && result !== null) after(name, result);
      return result;
    };
  }
}

/** Opens the test adapter, or another one, with counters on every WebGPU call. */
export async function countedDevice({ shaders = {}, found }: CountedOptions = {}): Promise<CountedDevice> {
  const { adapter, name, kind } = found ?? (await testAdapter());
  const counts = new Map<string, number>();
  const liveBuffers = new Set<GPUBuffer>();
  const count = (method: string) => counts.set(method, (counts.get(method) ?? 0) + 1);
  const watch = (method: string, result: object) => {
    if (method === 'createBuffer') {
      const buffer = result as GPUBuffer;
      liveBuffers.add(buffer);
      wrap(
        buffer,
        (called) => (called === 'destroy' ? liveBuffers.delete(buffer) : count(called)),
        () => {},
      );
    }
    if (method === 'createCommandEncoder' || method === 'beginComputePass') wrap(result, count, watch);
  };
  const opened: GPUDevice[] = [];
  const counting = {
    limits: adapter.limits,
    features: adapter.features,
    async requestDevice(descriptor: GPUDeviceDescriptor) {
      const gpu = await adapter.requestDevice(descriptor);
      wrap(gpu, count, watch);
      wrap(gpu.queue, count, watch);
      opened.push(gpu);
      return gpu;
    },
  };
  const read = (shader: string) => shaders[shader] ?? readShader(shader);
  const device = await openWebGpu({
    adapter: counting as unknown as GPUAdapter,
    name,
    kind,
    readShader: read,
  });
  return {
    device,
    gpu: opened[0],
    calls: (method) => counts.get(method) ?? 0,
    created: () => [...counts.keys()].filter((method) => method.startsWith('create')),
    reset: () => counts.clear(),
    liveBuffers,
  };
}
