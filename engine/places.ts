import { DeviceError, type CommandSpec, type Device, type DeviceBuffer } from './device.js';
import type { MemoryPlan } from './memory.js';
import { stateHeader } from './step.js';
import type { Store } from './store.js';
import type { Dispatch, Tape } from './tape.js';
import { owner, type Tensor } from './tensor.js';

/** Where every tensor of a plan lies: activations and constants in the plan's own memory, the others in its store. */
export class Places {
  private readonly slots: readonly DeviceBuffer[];
  private readonly constants = new Map<Tensor, DeviceBuffer>();

  constructor(
    private readonly device: Device,
    private readonly store: Store,
    private readonly tape: Tape,
    private readonly plan: MemoryPlan,
  ) {
    const largest = new Map([...plan.slotOf].reverse().map(([t, slot]) => [slot, t.name]));
    this.slots = plan.slots.map((bytes, i) => device.buffer(largest.get(i) ?? 'activation', bytes));
  }

  get memory() {
    return {
      bytes: this.plan.slots.reduce((sum, bytes) => sum + bytes, 0),
      unsharedBytes: this.plan.unsharedBytes,
    };
  }

  /** The memory of a tensor, made if it is the first time. Throws DeviceError for an activation of another plan. */
  buffer(tensor: Tensor): DeviceBuffer {
    const t = owner(tensor);
    if (t.kind === 'activation') {
      const slot = this.plan.slotOf.get(t);
      if (slot === undefined) throw new DeviceError(`${t.name}: is not part of this plan`);
      return this.slots[slot];
    }
    return t.kind === 'constant' ? this.constant(t) : this.named(t);
  }

  /** What the device makes a command of. */
  spec({ op, shader, entry, buffers, dims, over }: Dispatch): CommandSpec {
    const memory = Object.fromEntries(Object.entries(buffers).map(([name, t]) => [name, this.buffer(t)]));
    return { label: `${op}.${entry}`, shader, entry, buffers: memory, dims, over };
  }

  /** Makes every parameter and state that was declared, used or not: a checkpoint holds them all. */
  makeDeclared(): void {
    for (const t of this.tape.initial.keys()) this.named(t);
  }

  private constant(t: Tensor): DeviceBuffer {
    const known = this.constants.get(t);
    if (known !== undefined) return known;
    const data = this.tape.constants.get(t) ?? new Float32Array(0);
    const buffer = this.device.buffer(t.name, data.byteLength);
    this.device.upload(buffer, data);
    this.constants.set(t, buffer);
    return buffer;
  }

  private named(t: Tensor): DeviceBuffer {
    const { store, tape } = this;
    const initial = tape.initial.get(t);
    if (initial !== undefined) {
      return store.initialize(t.kind === 'state' ? 'state' : 'parameter', t.name, t.shape, initial).buffer;
    }
    const { entry, fresh } = store.ensure(t.kind === 'slot' ? 'slot' : 'input', t.name, t.shape, t.dtype);
    if (fresh && t === tape.stepState())
      store.write(t.name, stateHeader({ step: 0, cursor: 0, seed: store.seed }));
    return entry.buffer;
  }

  destroy(): void {
    for (const buffer of [...this.slots, ...this.constants.values()]) this.device.release(buffer);
  }
}
