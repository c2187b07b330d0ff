import { readShader } from '../../engine/adapter.js';
import type { Device } from '../../engine/index.js';
import { openWebGpu } from '../../engine/webgpu.js';
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

/** An adapter whose devices count their calls; `opened` receives them. */
function countingAdapter(
  adapter: GPUAdapter,
  count: (method: string) => void,
  liveBuffers: Set<GPUBuffer>,
  opened: GPUDevice[],
): GPUAdapter {
  const watch = (method: string, result: object) => {
    if (method === 'createBuffer') {
      const buffer = result as GPUBuffer;
      liveBuffers.add(buffer);
      const counted = (called: string) => (called === 'destroy' ? liveBuffers.delete(buffer) : count(called));
      wrap(buffer, counted, () => {});
    }
    if (method === 'createCommandEncoder' || method === 'beginComputePass') wrap(result, count, watch);
  };
  const counting: Pick<GPUAdapter, 'limits' | 'features' | 'requestDevice'> = {
    limits: adapter.limits,
    features: adapter.features,
    async requestDevice(descriptor) {
      const gpu = await adapter.requestDevice(descriptor);
      wrap(gpu, count, watch);
      wrap(gpu.queue, count, watch);
      opened.push(gpu);
      return gpu;
    },
  };
  return counting as GPUAdapter;
}

/** Opens the test adapter with counters on every WebGPU call; `shaders` are texts that go before those of shaders/. */
export async function countedDevice(shaders: Readonly<Record<string, string>> = {}): Promise<CountedDevice> {
  const { adapter, name, kind } = await testAdapter();
  const counts = new Map<string, number>();
  const liveBuffers = new Set<GPUBuffer>();
  const opened: GPUDevice[] = [];
  const count = (method: string) => counts.set(method, (counts.get(method) ?? 0) + 1);
  const device = await openWebGpu({
    adapter: countingAdapter(adapter, count, liveBuffers, opened),
    name,
    kind,
    readShader: (shader) => shaders[shader] ?? readShader(shader),
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
