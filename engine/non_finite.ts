import type { Command, Device } from './device.js';
import { size } from './shape.js';
import type { Store } from './store.js';
import type { Dispatch } from './tape.js';
import { owner, type Tensor } from './tensor.js';

/** The first value that was not finite. */
export interface NonFinite {
  /** 'parameter' if it was there before the step began. */
  readonly op: string;
  readonly entry: string;
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly index: number;
  readonly value: number;
}

/** What the search looks through: a step with its commands, one for one. */
export interface Searched {
  readonly device: Device;
  readonly store: Store;
  readonly dispatches: readonly Dispatch[];
  readonly commands: readonly Command[];
  read(tensor: Tensor): Promise<Float32Array>;
}

function nonFinite(values: Float32Array, shape: readonly number[]) {
  const index = values.findIndex((value) => !Number.isFinite(value));
  return index === -1 ? undefined : { shape, index, value: values[index] };
}

async function inStore(store: Store): Promise<NonFinite | undefined> {
  for (const { name, shape } of store.list('parameter', 'state')) {
    const { buffer, byteOffset, length } = await store.read(name);
    const found = nonFinite(new Float32Array(buffer, byteOffset, length), shape);
    if (found !== undefined) return { op: 'parameter', entry: 'none', tensor: name, ...found };
  }
  return undefined;
}

/** The floats that a dispatch writes. */
function written({ kernel }: Command, { buffers }: Dispatch): Tensor[] {
  const names = kernel.storage.filter(({ writable }) => writable).map(({ name }) => name);
  return names.map((name) => buffers[name]).filter(({ dtype }) => dtype === 'f32');
}

/**
 * Repeats a halted step dispatch by dispatch up to the check of its loss, looking at whatever was written. A tensor
 * that several dispatches write in parts is looked at after the last, since before it holds what was there earlier.
 */
export async function findNonFinite(step: Searched): Promise<NonFinite | undefined> {
  const { device, store, dispatches, commands } = step;
  const before = await inStore(store);
  if (before !== undefined) return before;
  const check = dispatches.findIndex(({ entry }) => entry === 'step_check');
  const searched = commands.slice(0, check === -1 ? commands.length : check + 1);
  const lastWrite = new Map<Tensor, number>();
  searched.forEach((command, i) => {
    for (const t of written(command, dispatches[i])) lastWrite.set(owner(t), i);
  });
  for (const [i, command] of searched.entries()) {
    device.run([command], 1);
    for (const t of written(command, dispatches[i])) {
      if (lastWrite.get(owner(t)) !== i) continue;
      const found = nonFinite((await step.read(t)).subarray(0, size(t.shape)), t.shape);
      const { op, entry } = dispatches[i];
      if (found !== undefined) return { op, entry, tensor: t.name, ...found };
    }
  }
  return undefined;
}
