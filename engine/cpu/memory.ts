import { DeviceError, type DeviceBuffer } from '../device.js';
import { Allocator } from './allocator.js';

/** Bytes of WebAssembly's pages, of all that 32 bits address, and of the first page, which no buffer uses. */
const pageBytes = 65536;
const addressableBytes = 2 ** 32;
const reservedBytes = pageBytes;

/** Growing takes a system call, so there is some more each time. */
const growthBytes = 1 << 20;

/** The largest buffer there can be. */
export const mostBytes = addressableBytes - reservedBytes;

/** A buffer in the linear memory. */
export interface CpuBuffer extends DeviceBuffer {
  readonly address: number;
}

/** A piece of memory, of whose bytes the first `dirtyBytes` may not be zero. */
export interface FreshPiece {
  readonly address: number;
  readonly dirtyBytes: number;
}

/** The one memory of a device, which all its threads share. */
export class LinearMemory {
  private readonly allocator = new Allocator(reservedBytes, addressableBytes);
  readonly memory: WebAssembly.Memory;

  /** Throws DeviceError where a process gets no 4 GiB of addresses. */
  constructor(private readonly device: string) {
    const pages = (bytes: number) => bytes / pageBytes;
    try {
      this.memory = new WebAssembly.Memory({
        initial: pages(reservedBytes),
        maximum: pages(addressableBytes),
        shared: true,
      });
    } catch (error) {
      throw new DeviceError(
        `${device}: cannot reserve ${addressableBytes} bytes of addresses (${(error as Error).message}); ` +
          'raise the limit of virtual memory (ulimit -v)',
      );
    }
  }

  /** The whole memory as it is now; later growth needs a new view. */
  bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  /** Throws DeviceError if there is no room for `bytes`, with what there is and what is used. */
  allocate(label: string, bytes: number): FreshPiece {
    const { allocator, device } = this;
    const before = allocator.end;
    const piece = allocator.allocate(bytes);
    if (piece === undefined) {
      throw new DeviceError(
        `${label}: needs ${bytes} bytes, but of the ${addressableBytes} that WebAssembly addresses ` +
          `${allocator.usedBytes} are in use on ${device}; use a smaller batch or table, or another adapter`,
      );
    }
    try {
      this.growTo(piece.address + piece.bytes);
    } catch (error) {
      allocator.release(piece.address);
      throw new DeviceError(
        `${label}: needs ${bytes} bytes, but ${device} cannot have more than the ` +
          `${this.memory.buffer.byteLength} it has (${(error as Error).message}); use a smaller batch or table`,
      );
    }
    return { address: piece.address, dirtyBytes: Math.max(0, Math.min(bytes, before - piece.address)) };
  }

  private growTo(end: number): void {
    const missing = end - this.memory.buffer.byteLength;
    if (missing <= 0) return;
    const most = addressableBytes - this.memory.buffer.byteLength;
    const wanted = Math.min(most, Math.max(missing, growthBytes));
    this.memory.grow(Math.ceil(wanted / pageBytes));
  }

  /** Takes a piece back; twice is no harm. */
  release(address: number): void {
    this.allocator.release(address);
  }
}
