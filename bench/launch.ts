import { planMemory, Store, Tape, type Device, type Dispatch } from '../engine/index.js';
import { Places } from '../engine/places.js';
import type { TapeOptions } from '../engine/tape.js';
import type { Candidate } from './measure.js';
import type { Roof } from './roofs.js';

/** Some kernels to measure: what to launch, and what it costs at least. */
export interface KernelCase extends Pick<Candidate, 'name' | 'shape' | 'bytes' | 'flops'> {
  /** Records tensors; returns the dispatches of one repetition. */
  record(tape: Tape): readonly Dispatch[];
  /** Writes inputs that kernels index with; all others are zeros. */
  feed?(store: Store): void;
  /** How the tape is traced, if not as in training. */
  readonly tape?: Partial<TapeOptions>;
  /** Repetitions after which the cursor of the step state goes back, for kernels that move on through a chunk. */
  readonly chunkSteps?: number;
  /** What it is compared with on the CPU target. */
  readonly roof?: Roof;
}

/** A case on a device. */
export interface OpenCase {
  readonly candidate: Candidate;
  release(): void;
}

/** Word of the step state that holds the cursor. */
const cursorWord = 1;

/** Compiles the kernels of a case and makes their memory, all of it apart. */
export async function openCase(device: Device, one: KernelCase): Promise<OpenCase> {
  const tape = new Tape({ training: true, chunkSteps: one.chunkSteps ?? 1, ...one.tape });
  const store = new Store(device, 1);
  const dispatches = one.record(tape);
  const places = new Places(device, store, tape, planMemory(dispatches));
  const commands = await device.commands(dispatches.map((dispatch) => places.spec(dispatch)));
  one.feed?.(store);
  const { name, shape, bytes, flops, chunkSteps } = one;
  const submit = (times: number) => {
    if (chunkSteps !== undefined) store.write(tape.stepState().name, Uint32Array.of(0), cursorWord);
    device.run(commands, times);
  };
  return {
    candidate: { name, shape, bytes, flops, submit, most: chunkSteps },
    release() {
      device.releaseCommands(commands);
      places.destroy();
      store.destroy();
    },
  };
}
