import { backward, type Backward } from './autodiff.js';
import { DeviceError, type Command, type CommandTime, type Device, type Reader } from './device.js';
import { planMemory } from './memory.js';
import { findNonFinite, type NonFinite } from './non_finite.js';
import { MissedSteps, type Part } from './optim/missed_steps.js';
import type { Optimizer } from './optim/optimizer.js';
import { Places } from './places.js';
import { prune } from './prune.js';
import { format, size } from './shape.js';
import { scheduleCapacity, stateHeader, stateHeaderWords, type StepPosition } from './step.js';
import type { Store } from './store.js';
import type { Dispatch, Gradient, Tape } from './tape.js';
import { owner, type Tensor } from './tensor.js';
import { missedTables, recordUpdates, type ClipNorm } from './updates.js';

/** What to make of a traced tape. */
export interface PlanSpec {
  readonly tape: Tape;
  /** Scalar [1] to differentiate; recorded as 'loss' and checked to be finite. */
  readonly loss?: Tensor;
  /** Instead of a loss: a tensor of any shape and the gradient to start from (checks, the Lipschitz meter). */
  readonly output?: { readonly y: Tensor; readonly dy: Tensor };
  /** Without it gradients are computed but nothing is updated. */
  readonly optimizer?: Optimizer;
  readonly clipNorm?: ClipNorm;
  /** Tensors copied out at the end of each step's forward pass, one place for each step of a chunk. */
  readonly records?: Readonly<Record<string, Tensor>>;
  /** Activations to keep readable after a run, for tests and diagnoses. */
  readonly keep?: readonly Tensor[];
}

/** Chunks whose records may be on their way to the host at once. */
const readersInFlight = 3;

/** Keeps the tables of missed_steps.ts on the device. */
class Missed {
  constructor(
    private readonly store: Store,
    private readonly name: string,
    private readonly steps: MissedSteps,
  ) {
    this.write([steps.whole]);
  }

  add(first: number, schedule: Float32Array): void {
    this.write(this.steps.add(first, schedule));
  }

  private write(parts: readonly Part[]): void {
    for (const { offset, floats } of parts) this.store.write(this.name, floats, offset);
  }
}

interface Frozen {
  readonly step: readonly Command[];
  readonly flush: readonly Command[];
}

/**
 * A traced step, compiled: dispatches with their memory, ready to be replayed. Made by `compile`; after that no device
 * object is created but encoders. Plans of one store share parameters and inputs.
 */
export class Plan {
  constructor(
    private readonly device: Device,
    private readonly store: Store,
    private readonly tape: Tape,
    private readonly frozen: Frozen,
    /** In the order in which they run. */
    readonly dispatches: readonly Dispatch[],
    private readonly places: Places,
    private readonly readers: ReadonlyMap<string, Reader>,
    /** Gradient of each parameter; rows for tables that are updated by rows. */
    readonly gradients: ReadonlyMap<Tensor, Gradient>,
    private readonly missed: Missed | undefined,
  ) {}

  /** Submits `steps` steps, starting at the cursor of the step state. Uploads nothing, waits for nothing. */
  run(steps: number): void {
    if (steps > 0) this.device.run(this.frozen.step, steps);
  }

  /**
   * Brings all rows of all tables up to the current step (see Optimizer.flush); once halted, only forgets that the step
   * was to update some. Cheap if there is nothing to do.
   */
  flush(): void {
    if (this.frozen.flush.length > 0) this.device.run(this.frozen.flush, 1);
  }

  /** Sets step, cursor and seed of the step state. A halted run goes on, and must have been flushed before. */
  setPosition(position: StepPosition): void {
    this.store.write(this.tape.stepState().name, stateHeader(position));
  }

  /** Sets the cursor alone, after a chunk of inputs was fed. */
  rewind(): void {
    this.store.write(this.tape.stepState().name, Uint32Array.of(0), 1);
  }

  /**
   * Writes what the optimizer needs to know of the steps first, first + 1, … (counted from 1); 4 floats a step. Sums over
   * missed steps are there for the last steps of a call, as many as a chunk has, and for a flush behind them.
   */
  setSchedule(first: number, values: Float32Array): void {
    this.missed?.add(first - 1, values);
    for (let done = 0; done < values.length;) {
      const at = (first - 1 + done / 4) % scheduleCapacity;
      const count = Math.min(values.length - done, 4 * (scheduleCapacity - at));
      const words = new Uint32Array(values.buffer, values.byteOffset + 4 * done, count);
      this.store.write(this.tape.stepState().name, words, stateHeaderWords + 4 * at);
      done += count;
    }
  }

  /** The step state's step number, and whether a loss that was not finite has halted the run. */
  async position(): Promise<{ readonly step: number; readonly cursor: number; readonly halted: boolean }> {
    const [step, cursor, halted] = await this.store.read(this.tape.stepState().name);
    return { step, cursor, halted: halted !== 0 };
  }

  /** What the record `name` holds of the first `steps` steps of the chunk, after everything submitted so far. */
  async fetch(name: string, steps: number): Promise<Float32Array> {
    const reader = this.readers.get(name);
    if (reader === undefined)
      throw new DeviceError(`${name}: no such record; have ${[...this.readers.keys()].join(', ')}`);
    const { chunkSteps } = this.tape;
    if (steps > chunkSteps) {
      throw new DeviceError(`${name}: ${steps} steps were asked for, but a chunk has ${chunkSteps}`);
    }
    const bytes = await reader.read();
    const perStep = Math.floor(bytes.byteLength / 4 / chunkSteps);
    return new Float32Array(bytes, 0, steps * perStep);
  }

  /** A kept activation, or any named tensor. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const bytes = await this.device.download(this.places.buffer(tensor));
    return new Float32Array(bytes, 0, size(tensor.shape));
  }

  /**
   * The first value that is not finite when a halted step is repeated; undefined if all are. Inputs must be those of
   * that step and the cursor where it was.
   */
  firstNonFinite(): Promise<NonFinite | undefined> {
    const { device, store, dispatches, frozen } = this;
    return findNonFinite({ device, store, dispatches, commands: frozen.step, read: (t) => this.read(t) });
  }

  /** Runs one step with a time for every dispatch; undefined where the device has no timestamps. */
  async profile(): Promise<readonly (CommandTime & { readonly op: string })[] | undefined> {
    const times = await this.device.profile(this.frozen.step);
    return times?.map((time, i) => ({ ...time, op: this.dispatches[i].op }));
  }

  /** One line per dispatch: op, entry, tensors with shapes, invocations. */
  describe(): string {
    const line = ({ op, entry, buffers, over }: Dispatch) => {
      const tensors = Object.entries(buffers).map(([name, t]) => `${name}=${t.name}${format(t.shape)}`);
      return `${op}: ${entry}(${tensors.join(', ')}) over ${over.join('×')}`;
    };
    return this.dispatches.map(line).join('\n');
  }

  /** Bytes of the activations, and what they would take if none shared memory. */
  get memory(): { readonly bytes: number; readonly unsharedBytes: number } {
    return this.places.memory;
  }

  /** Frees the plan's own memory; the store keeps its. */
  destroy(): void {
    this.device.releaseCommands(this.frozen.step);
    this.device.releaseCommands(this.frozen.flush);
    for (const reader of this.readers.values()) reader.release();
    this.places.destroy();
  }
}

function recordHistories(tape: Tape, spec: PlanSpec, list: Dispatch[]): Map<string, Tensor> {
  const state = tape.stepState();
  const run = tape.launcher('step', 'step', list);
  const record = ([name, value]: [string, Tensor]): [string, Tensor] => {
    const count = size(value.shape);
    const history = tape.input(`records.${name}`, [tape.chunkSteps, count]);
    run('step_record', { value, history, state }, { count, stride: count, offset: 0 }, [count]);
    return [name, history];
  };
  const histories = new Map(Object.entries(spec.records ?? {}).map(record));
  if (spec.loss !== undefined) {
    const history = tape.input('records.loss', [tape.chunkSteps, 1]);
    run('step_check', { value: spec.loss, history, state }, { stride: 1, offset: 0 }, [1]);
    histories.set('loss', history);
  }
  return histories;
}

function gradientsOf({ loss, output }: PlanSpec): Backward {
  if (loss !== undefined) return backward(loss);
  return output === undefined ? { dispatches: [], gradients: new Map() } : backward(output.y, output.dy);
}

/**
 * Freezes a traced tape into a plan: appends backward pass and updates, assigns memory, compiles every kernel (in
 * parallel) and makes every device object that a step needs. Throws ShapeError, KernelError or DeviceError; nothing
 * is found wrong later.
 */
export async function compile(device: Device, store: Store, spec: PlanSpec): Promise<Plan> {
  const { tape } = spec;
  const frame: Dispatch[] = [];
  const histories = recordHistories(tape, spec, frame);
  const { dispatches: gradientPass, gradients } = gradientsOf(spec);
  const updates = recordUpdates(tape, gradients, spec.optimizer, spec.clipNorm);
  const advance: Dispatch[] = [];
  tape.launcher('step', 'step', advance)('step_advance', { state: tape.stepState() }, {}, [1]);
  const everything = [
    ...updates.before,
    ...tape.forward,
    ...frame,
    ...gradientPass,
    ...tape.deferred,
    ...updates.after,
    ...advance,
  ];
  const kept = new Set((spec.keep ?? []).map(owner));
  for (const gradient of spec.keep === undefined ? [] : gradients.values()) {
    if (gradient.kind === 'dense') kept.add(owner(gradient.tensor));
  }
  const step = prune(everything, kept);
  const places = new Places(device, store, tape, planMemory(step, kept));
  try {
    places.makeDeclared();
    const frozen = await freeze(device, places, step, updates.flush);
    const readers = [...histories].map(([name, history]): [string, Reader] => {
      const buffer = places.buffer(history);
      return [name, device.reader(buffer, 4 * size(history.shape), readersInFlight)];
    });
    const missed = missedOf(store, tape, spec.optimizer);
    return new Plan(device, store, tape, frozen, step, places, new Map(readers), gradients, missed);
  } catch (error) {
    places.destroy();
    throw error;
  }
}

/** Tables for an optimizer that reads them: kernels that do have been made. */
function missedOf(store: Store, tape: Tape, optimizer: Optimizer | undefined): Missed | undefined {
  const tables = optimizer && missedTables(tape, optimizer);
  if (tables === undefined || !store.has(tables.sums.name)) return undefined;
  const { decays } = optimizer?.missedSteps as NonNullable<Optimizer['missedSteps']>;
  return new Missed(store, tables.sums.name, new MissedSteps(tables.layout, decays));
}

async function freeze(
  device: Device,
  places: Places,
  step: readonly Dispatch[],
  flush: readonly Dispatch[],
): Promise<Frozen> {
  const commands = (list: readonly Dispatch[]) => device.commands(list.map((one) => places.spec(one)));
  const [stepCommands, flushCommands] = await Promise.all([commands(step), commands(flush)]);
  return { step: stepCommands, flush: flushCommands };
}
