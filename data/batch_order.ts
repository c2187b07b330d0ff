import { Mt19937, type Mt19937State } from './mt19937.js';
import { shuffled } from './split.js';

/** Where the order of training rows stands: plain data, for checkpoints. */
export interface BatchOrderState {
  /** Epochs drawn. */
  readonly epoch: number;
  readonly generator: Mt19937State;
}

/**
 * The order of the training rows in each epoch, as RecBole's loader draws it: from a generator of its own, which is
 * seeded once. Batches are consecutive slices of it.
 */
export class BatchOrder {
  #generator: Mt19937;
  #epoch = 0;
  #start: BatchOrderState;

  /** `train` [N] are the rows to order, as `splitDataset` gives them. */
  constructor(
    private readonly train: Uint32Array,
    seed: number,
  ) {
    this.#generator = new Mt19937(seed);
    this.#start = this.exportState();
  }

  /** Epochs drawn so far. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The rows [N] in the order of the next epoch. */
  next(): Uint32Array {
    this.#start = this.exportState();
    const rng = this.#generator;
    // PyTorch's loader first draws a 64-bit seed for its workers.
    rng.skip(2);
    const order = shuffled(this.train.slice(), rng);
    // Its sampler draws a permutation for an incomplete pass, of which it takes nothing.
    rng.skip(Math.max(0, this.train.length - 1));
    this.#epoch++;
    return order;
  }

  /** The state between epochs: `next` goes on with the epoch after the last one drawn. */
  exportState(): BatchOrderState {
    return { epoch: this.#epoch, generator: this.#generator.exportState() };
  }

  /** The state before the last epoch drawn: `next` draws it again, for a run that stopped in its middle. */
  exportEpochStart(): BatchOrderState {
    return this.#start;
  }

  /** Goes on from an exported state; throws RangeError if it is none. */
  importState(state: BatchOrderState): void {
    if (!Number.isSafeInteger(state.epoch) || state.epoch < 0) {
      throw new RangeError(
        `batch order: epoch ${state.epoch} in a saved state, want a whole number from 0 on`,
      );
    }
    this.#generator.importState(state.generator);
    this.#epoch = state.epoch;
    this.#start = this.exportState();
  }
}
