import type { CommandSpec } from './device.js';

/** A shader that does not compile or does not fit its use. Begins with file, line and column where they are known. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
}

/** A storage buffer that an entry point uses. */
export interface StorageBinding {
  readonly name: string;
  readonly binding: number;
  readonly writable: boolean;
  /** The smallest buffer that can be bound: the struct, or one element of the array. */
  readonly bytes: number;
}

/** A member of `struct Dims`. */
export interface DimsMember {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly type: 'u32' | 'f32';
}

/** What one entry point needs, read off the WGSL. */
export interface Kernel {
  readonly shader: string;
  readonly entry: string;
  readonly workgroup: readonly [number, number, number];
  /** Whether the entry asks for num_workgroups, and so loops with the grid's stride over whatever it is given. */
  readonly loops: boolean;
  readonly storage: readonly StorageBinding[];
  /** Absent if the entry reads no dims. */
  readonly dims?: {
    readonly binding: number;
    readonly bytes: number;
    readonly members: readonly DimsMember[];
  };
  /**
   * Members of `struct Dims` that the file also declares as `override`: fixed when a GPU's pipeline is made, so that its
   * compiler divides by them with shifts. The CPU target reads them from dims.
   */
  readonly overrides: readonly string[];
}

function disagreement(
  kernel: Kernel,
  what: string,
  has: readonly string[],
  got: readonly string[],
): KernelError {
  const list = (names: readonly string[]) => `"${[...names].sort().join(', ')}"`;
  return new KernelError(
    `${kernel.entry}: ${kernel.shader}.wgsl ${what} ${list(has)}, but run() gave ${list(got)}`,
  );
}

const sameNames = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name) => b.includes(name));

/** Throws KernelError unless `names` are exactly the storage buffers that the entry uses. */
export function checkBuffers(kernel: Kernel, names: readonly string[]): void {
  const has = kernel.storage.map(({ name }) => name);
  if (!sameNames(has, names)) throw disagreement(kernel, 'binds', has, names);
}

/**
 * Writes the values of `dims` into `view` at `offset`, by member name. Every name given must be a member; members
 * that other entries of the file use may be left out. Throws KernelError for an unknown name or a number that does
 * not fit its type.
 */
export function writeDims(
  kernel: Kernel,
  dims: Readonly<Record<string, number>>,
  view: DataView,
  offset: number,
): void {
  const members = kernel.dims?.members ?? [];
  for (const [name, value] of Object.entries(dims)) {
    const member = members.find((one) => one.name === name);
    if (member === undefined) {
      throw disagreement(
        kernel,
        'has dims',
        members.map((one) => one.name),
        Object.keys(dims),
      );
    }
    if (member.type === 'f32') {
      view.setFloat32(offset + member.offset, value, true);
      continue;
    }
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new KernelError(`${kernel.entry}: dims.${name} is a u32, but run() gave ${value}`);
    }
    view.setUint32(offset + member.offset, value, true);
  }
}

/** The kernel of a command. Throws KernelError unless it exists, and names and number of its buffers fit. */
export function findKernel(
  kernels: ReadonlyMap<string, Kernel>,
  { shader, entry, buffers }: Pick<CommandSpec, 'shader' | 'entry' | 'buffers'>,
  device: string,
  storageBuffers: number,
): Kernel {
  const kernel = kernels.get(entry);
  if (kernel === undefined) {
    throw new KernelError(
      `${shader}.wgsl: has no entry "${entry}"; have "${[...kernels.keys()].join(', ')}"`,
    );
  }
  checkBuffers(kernel, Object.keys(buffers));
  const { length } = kernel.storage;
  if (length > storageBuffers) {
    throw new KernelError(
      `${entry}: binds ${length} storage buffers, but ${device} has ${storageBuffers}; split the kernel`,
    );
  }
  return kernel;
}

/** Most workgroups of a dispatch. */
export interface GridLimits {
  readonly x: number;
  readonly yz: number;
  /** Along x, for entries that loop with the grid's stride and so take as many as are good. */
  readonly loops: number;
}

/** Workgroups that cover `over` invocations, x cut to the limits. Throws KernelError where y or z exceed theirs. */
export function gridOf(
  { workgroup, entry, loops }: Kernel,
  over: readonly number[],
  limits: GridLimits,
): [number, number, number] {
  const [x, y, z] = workgroup.map((threads, axis) => Math.ceil((over[axis] ?? 1) / threads));
  if (y > limits.yz || z > limits.yz) {
    throw new KernelError(
      `${entry}: ${x}×${y}×${z} workgroups, but y and z end at ${limits.yz}; use a smaller batch`,
    );
  }
  return [Math.min(x, limits.x, loops ? limits.loops : Infinity), y, z];
}
