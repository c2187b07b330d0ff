import type { Device, DeviceBuffer } from '../../engine/index.js';

/** A device that only keeps bytes: for tests of stores and checkpoints on the host. */
export function memoryDevice(): Device {
  const bytesOf = new Map<DeviceBuffer, Uint8Array>();
  const none = () => {
    throw new Error('memory device: computes nothing');
  };
  return {
    name: 'memory',
    kind: 'software',
    limits: { bindingBytes: 2 ** 30, storageBuffers: 8, threads: Infinity },
    buffer(label, bytes) {
      const buffer = { label, bytes };
      bytesOf.set(buffer, new Uint8Array(bytes));
      return buffer;
    },
    release: (buffer) => void bytesOf.delete(buffer),
    upload(buffer, data, byteOffset = 0) {
      bytesOf.get(buffer)?.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), byteOffset);
    },
    download: async (buffer) => (bytesOf.get(buffer) as Uint8Array).slice().buffer as ArrayBuffer,
    reader: none,
    commands: none,
    releaseCommands() {},
    run: none,
    settled: async () => {},
    profile: none,
    destroy() {},
  };
}
