import { DeviceError, type DeviceBuffer, type Reader } from './device.js';
import type { Failures } from './webgpu_failures.js';

/** A buffer on a GPUDevice. */
export interface GpuMemory extends DeviceBuffer {
  readonly gpu: GPUBuffer;
}

/** Zeroed storage of whole vec4s. Memory that runs out is reported, since WebGPU says so only later. */
export function makeMemory(gpu: GPUDevice, failures: Failures, label: string, bytes: number): GpuMemory {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  gpu.pushErrorScope('out-of-memory');
  const buffer = gpu.createBuffer({ label, size: bytes, usage });
  gpu.popErrorScope().then(
    (error) => {
      if (error !== null)
        failures.report(`${label}: no memory for ${bytes} bytes; use a smaller batch or table`);
    },
    () => {}, // the device is lost, which is reported anyway
  );
  return { label, bytes, gpu: buffer };
}

/** A buffer that can be mapped after `bytes` were copied into it. */
export function makeStaging(gpu: GPUDevice, label: string, bytes: number): GPUBuffer {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  return gpu.createBuffer({ label: `${label}.staging`, size: bytes, usage });
}

/**
 * Copies the start of `from` to the host. The copy is submitted before the first await, so that it sees the buffer as
 * it is before whatever is submitted next. Throws DeviceError.
 */
export async function copyOut(
  gpu: GPUDevice,
  failures: Failures,
  from: GPUBuffer,
  staging: GPUBuffer,
): Promise<ArrayBuffer> {
  failures.check();
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(from, 0, staging, 0, staging.size);
  gpu.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(GPUMapMode.READ);
  } catch (error) {
    // The map is refused before the event that says why has been delivered.
    await new Promise((resolve) => setTimeout(resolve, 0));
    failures.check();
    throw new DeviceError(`${from.label}: reading back failed: ${String(error)}`);
  }
  const copy = staging.getMappedRange().slice(0);
  staging.unmap();
  failures.check();
  return copy;
}

/** Copies to the host through `depth` staging buffers. */
export function makeReader(
  gpu: GPUDevice,
  failures: Failures,
  { label, gpu: from }: GpuMemory,
  bytes: number,
  depth: number,
): Reader {
  const size = Math.ceil(bytes / 4) * 4;
  const ring = Array.from({ length: depth }, () => makeStaging(gpu, label, size));
  const busy = ring.map(() => false);
  return {
    bytes: size,
    async read() {
      const slot = busy.indexOf(false);
      if (slot === -1) throw new DeviceError(`${label}: more than ${depth} reads at once; await the first`);
      busy[slot] = true;
      try {
        return await copyOut(gpu, failures, from, ring[slot]);
      } finally {
        busy[slot] = false;
      }
    },
    release() {
      for (const staging of ring) staging.destroy();
    },
  };
}
