import { DeviceError, type Device, type DeviceArray, type DeviceBuffer } from './device.js';
import { Stream } from './random.js';
import { format, type Shape } from './shape.js';
import type { Initial } from './tape.js';
import type { Dtype } from './tensor.js';

/** What a named buffer is for: decides what a checkpoint keeps. */
export type EntryKind = 'parameter' | 'state' | 'slot' | 'input';

/** A named buffer that outlives plans. */
export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly buffer: DeviceBuffer;
}

const words = (shape: Shape) => shape.reduce((product, axis) => product * axis, 1);

/**
 * The named memory of a model on a device: parameters, running statistics, optimizer slots and the inputs that plans
 * share. Plans compiled against one store train and evaluate the same weights.
 */
export class Store {
  private readonly entries = new Map<string, Entry>();

  /** `seed` decides initial values; each tensor draws from a stream of its own name, so order does not matter. */
  constructor(
    readonly device: Device,
    readonly seed: number,
  ) {}

  /** The buffer `name`, made (zeroed) if it is new. Throws DeviceError if it exists with another shape. */
  ensure(kind: EntryKind, name: string, shape: Shape, dtype: Dtype): { entry: Entry; fresh: boolean } {
    const known = this.entries.get(name);
    if (known === undefined) {
      const buffer = this.device.buffer(name, 4 * words(shape));
      const entry: Entry = { name, kind, shape, dtype, buffer };
      this.entries.set(name, entry);
      return { entry, fresh: true };
    }
    if (format(known.shape) !== format(shape) || known.dtype !== dtype) {
      throw new DeviceError(
        `${name}: held as ${known.dtype}${format(known.shape)}, but a plan wants ${dtype}${format(shape)}`,
      );
    }
    return { entry: known, fresh: false };
  }

  /** Like ensure, with initial values drawn when it is new. */
  initialize(kind: EntryKind, name: string, shape: Shape, { init }: Initial): Entry {
    const { entry, fresh } = this.ensure(kind, name, shape, 'f32');
    if (fresh) this.device.upload(entry.buffer, init(shape, Stream.named(this.seed, name)));
    return entry;
  }

  get(name: string): Entry {
    const entry = this.entries.get(name);
    if (entry === undefined)
      throw new DeviceError(`${name}: no such buffer; have ${[...this.entries.keys()].join(', ')}`);
    return entry;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Entries of a kind in the order of their making. */
  list(...kinds: readonly EntryKind[]): readonly Entry[] {
    return [...this.entries.values()].filter(({ kind }) => kinds.includes(kind));
  }

  /** Overwrites all or, from word `offset` on, a part of `name`. Throws DeviceError if it does not fit. */
  write(name: string, data: DeviceArray, offset = 0): void {
    const { shape, buffer } = this.get(name);
    if (offset + data.length > words(shape)) {
      throw new DeviceError(`${name}: ${data.length} words at ${offset} do not fit into ${format(shape)}`);
    }
    this.device.upload(buffer, data, 4 * offset);
  }

  /** A copy of `name` as it is after everything submitted so far. */
  async read(name: string): Promise<DeviceArray> {
    const { shape, dtype, buffer } = this.get(name);
    const bytes = await this.device.download(buffer);
    return dtype === 'f32'
      ? new Float32Array(bytes, 0, words(shape))
      : new Uint32Array(bytes, 0, words(shape));
  }

  destroy(): void {
    for (const { buffer } of this.entries.values()) this.device.release(buffer);
    this.entries.clear();
  }
}
