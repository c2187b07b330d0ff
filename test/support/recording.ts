import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import type {
  Command,
  CommandSpec,
  Device,
  DeviceArray,
  DeviceBuffer,
  DeviceLimits,
  Reader,
} from '../../engine/index.js';

/** A launch of a kernel with everything that it read and wrote. */
export interface Launch {
  readonly label: string;
  readonly shader: string;
  readonly entry: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly over: readonly number[];
  /** Number of each variable's buffer; two variables may share one. */
  readonly buffers: Readonly<Record<string, number>>;
  /** Bytes of the buffers; of those that the kernel only reads, none after. */
  readonly before: readonly Uint8Array[];
  readonly after: readonly (Uint8Array | undefined)[];
}

/** Launches of one entry that are kept, and of those with the same sizes: the second has seen the first one's results. */
const mostOfEntry = 4;
const mostOfSizes = 2;
/** Of an entry that works on more bytes, one launch is enough. */
const manyBytes = 1 << 17;
/** Bound by many, and large, but not worked on. */
const stepState = 'state';
/** A launch of so many times the invocations of any before is kept too: threads share invocations. */
const growth = 2;

/** A command, and text that those of the same sizes share. */
interface Watched {
  readonly spec: CommandSpec;
  readonly sizes: string;
  readonly bytes: number;
  readonly invocations: number;
}

function watched(spec: CommandSpec): Watched {
  const { entry, dims, over, buffers } = spec;
  const bytes = Object.entries(buffers).map(([name, buffer]) => (name === stepState ? 0 : buffer.bytes));
  return {
    spec,
    sizes: JSON.stringify([entry, dims, over, bytes]),
    bytes: bytes.reduce((sum, one) => sum + one, 0),
    invocations: invocationsOf(spec),
  };
}

/** Invocations that a launch asks for. */
export const invocationsOf = ({ over }: Pick<CommandSpec, 'over'>): number =>
  over.reduce((product, axis) => product * axis, 1);

/** Keeps some launches of every entry, on all devices that it watches. */
export class Recording {
  private readonly kept: Promise<Launch>[] = [];
  private readonly counts = new Map<string, number>();
  /** Most invocations of each entry. */
  private readonly most = new Map<string, number>();

  /** The device, with its launches recorded. */
  watch(device: Device): Device {
    return new RecordingDevice(device, this);
  }

  /** Whether another launch is wanted. */
  wants({ spec, sizes, bytes, invocations }: Watched): boolean {
    const [ofEntry, ofSizes] = [spec.entry, sizes].map((key) => this.counts.get(key) ?? 0);
    if (bytes <= manyBytes && invocations >= growth * (this.most.get(spec.entry) ?? 1)) return true;
    return ofEntry < (bytes > manyBytes ? 1 : mostOfEntry) && ofSizes < mostOfSizes;
  }

  keep({ spec, sizes, invocations }: Watched, launch: Promise<Launch>): void {
    for (const key of [spec.entry, sizes]) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.most.set(spec.entry, Math.max(invocations, this.most.get(spec.entry) ?? 1));
    this.kept.push(launch);
  }

  async launches(): Promise<readonly Launch[]> {
    return Promise.all(this.kept);
  }
}

class RecordingDevice implements Device {
  readonly name: string;
  readonly kind: Device['kind'];
  readonly limits: DeviceLimits;
  private readonly watched = new Map<Command, Watched>();
  private readonly pending: Promise<unknown>[] = [];

  constructor(
    private readonly device: Device,
    private readonly recording: Recording,
  ) {
    ({ name: this.name, kind: this.kind, limits: this.limits } = device);
  }

  async commands(specs: readonly CommandSpec[]): Promise<readonly Command[]> {
    const commands = await this.device.commands(specs);
    commands.forEach((command, i) => this.watched.set(command, watched(specs[i])));
    return commands;
  }

  run(commands: readonly Command[], times: number): void {
    const wanted = (command: Command) => {
      const one = this.watched.get(command);
      return one !== undefined && this.recording.wants(one) ? one : undefined;
    };
    let time = 0;
    for (; time < times && commands.some(wanted); time++) {
      let begun = 0;
      commands.forEach((command, i) => {
        const one = wanted(command);
        if (one === undefined) return;
        this.device.run(commands.slice(begun, i), 1);
        this.record(command, one);
        begun = i + 1;
      });
      this.device.run(commands.slice(begun), 1);
    }
    if (time < times) this.device.run(commands, times - time);
  }

  private record(command: Command, one: Watched): void {
    const { spec } = one;
    const { label, shader, entry, dims, over } = spec;
    const different = [...new Set(Object.values(spec.buffers))];
    const written = new Set(
      command.kernel.storage.flatMap(({ name, writable }) => (writable ? [spec.buffers[name]] : [])),
    );
    const read = async (buffer: DeviceBuffer) => new Uint8Array(await this.device.download(buffer));
    const before = Promise.all(different.map(read));
    this.device.run([command], 1);
    const after = Promise.all(
      different.map((buffer) => (written.has(buffer) ? read(buffer) : Promise.resolve(undefined))),
    );
    const buffers = Object.fromEntries(
      Object.entries(spec.buffers).map(([name, buffer]) => [name, different.indexOf(buffer)]),
    );
    const launch = Promise.all([before, after]).then(([first, second]) => {
      return { label, shader, entry, dims, over, buffers, before: first, after: second };
    });
    // A device that fails tells its test; what was recorded until then is not looked at.
    launch.catch(() => undefined);
    this.pending.push(launch);
    this.recording.keep(one, launch);
  }

  buffer(label: string, bytes: number): DeviceBuffer {
    return this.device.buffer(label, bytes);
  }

  release(buffer: DeviceBuffer): void {
    this.device.release(buffer);
  }

  upload(buffer: DeviceBuffer, data: DeviceArray, byteOffset?: number): void {
    this.device.upload(buffer, data, byteOffset);
  }

  reader(buffer: DeviceBuffer, bytes: number, depth: number): Reader {
    return this.device.reader(buffer, bytes, depth);
  }

  download(buffer: DeviceBuffer): Promise<ArrayBuffer> {
    return this.device.download(buffer);
  }

  releaseCommands(commands: readonly Command[]): void {
    for (const command of commands) this.watched.delete(command);
    this.device.releaseCommands(commands);
  }

  settled(): Promise<void> {
    return this.device.settled();
  }

  profile(commands: readonly Command[]) {
    return this.device.profile(commands);
  }

  destroy(): void {
    void Promise.allSettled(this.pending).then(() => this.device.destroy());
  }
}

export function writeLaunches(path: string, launches: readonly Launch[]): void {
  writeFileSync(path, serialize(launches));
}

export const readLaunches = (path: string): readonly Launch[] =>
  deserialize(readFileSync(path)) as readonly Launch[];
