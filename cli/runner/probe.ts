import { compile, type Device, type Plan, type Store, type Tensor } from '../../engine/index.js';
import {
  Feed,
  traceProbe,
  uploadChunk,
  uploadFeatures,
  type Features,
  type Program,
} from '../../models/index.js';

/** What is differentiated by the input embeddings e: the probability of a positive label, or every logit. */
export type ProbeOutput = 'score' | 'logits';

/** What a probe says of N rows with K outputs each (1 score, or as many logits as there are classes). */
export interface Slopes {
  readonly outputs: number;
  /** The outputs themselves [N,K]. */
  readonly values: Float32Array;
  /** J·Jᵀ [N,K,K] of the Jacobian J = ∂outputs/∂e [K, F·D] of each row; of one output ‖∂output/∂e‖². */
  readonly gram: Float64Array;
}

/** Rows of a pass: enough for every core, few enough that their gradients are some MB. */
export const passRows = 2048;

/** A pass that is ready: what is read back of it, and where its gradient begins. */
interface Pass {
  readonly plan: Plan;
  readonly feed: Feed;
  /** Columns of `y`; those behind `first` are the outputs. */
  readonly y: Tensor;
  readonly seed: Tensor;
  readonly first: number;
  readonly gradients: readonly Tensor[];
}

/** Measures how outputs follow the input embeddings, at the parameters of the store; it changes none of them. */
export class Probe {
  private constructor(
    private readonly store: Store,
    private readonly scope: string,
    private readonly rows: number,
    private readonly pass: Pass,
  ) {}

  /**
   * Compiles a pass over up to `rows` rows at once for a store whose parameters are there already. Throws ShapeError,
   * KernelError, DeviceError.
   */
  static async open(
    device: Device,
    store: Store,
    program: Program,
    features: Features,
    of: ProbeOutput,
    rows = passRows,
  ): Promise<Probe> {
    const scope = `probe.${of}`;
    const { users, items } = features;
    const sizes = { scope, rows, capacity: rows, chunkSteps: 1, users, items };
    const { tape, logits, prediction, moves } = traceProbe(program, sizes);
    const y = of === 'score' ? prediction.score : logits;
    const seed = tape.input('seed', y.shape);
    const plan = await compile(device, store, { tape, output: { y, dy: seed }, keep: [y] });
    uploadFeatures(store, features); // no plan before this one need have read all of them
    const gradients = moves.flatMap((move) => {
      const gradient = plan.gradients.get(move);
      return gradient?.kind === 'dense' ? [gradient.tensor] : [];
    });
    const feed = new Feed(features, { capacity: rows, chunkSteps: 1, segments: [] });
    const first = of === 'score' ? y.shape[1] - 1 : 0; // of two label probabilities the positive one
    return new Probe(store, scope, rows, { plan, feed, y, seed, first, gradients });
  }

  /** Slopes at rows of the data set, in their order. */
  async measure(rows: Uint32Array): Promise<Slopes> {
    const { y, first } = this.pass;
    const outputs = y.shape[1] - first;
    const values = new Float32Array(rows.length * outputs);
    const gram = new Float64Array(rows.length * outputs * outputs);
    for (let from = 0; from < rows.length; from += this.rows) {
      const batch = rows.subarray(from, from + this.rows);
      const { jacobian, y } = await this.jacobian(batch, outputs);
      for (let row = 0; row < batch.length; row++) {
        const at = (from + row) * outputs;
        for (let k = 0; k < outputs; k++) values[at + k] = y[row * (first + outputs) + first + k];
        gramOf(jacobian, row, this.rows, gram.subarray(at * outputs, (at + outputs) * outputs));
      }
    }
    return { outputs, values, gram };
  }

  /** ∂output/∂e of a batch, by output and part of e, one backward pass for each output. */
  private async jacobian(batch: Uint32Array, outputs: number) {
    const { plan, feed, y, seed, first, gradients } = this.pass;
    uploadChunk(this.store, this.scope, feed.chunk(batch, this.rows));
    const jacobian: Float32Array[][] = [];
    for (let k = 0; k < outputs; k++) {
      const columns = y.shape[1];
      const ones = new Float32Array(this.rows * columns);
      for (let row = 0; row < this.rows; row++) ones[row * columns + first + k] = 1;
      this.store.write(seed.name, ones);
      plan.setPosition({ step: 0, cursor: 0, seed: 0 });
      plan.run(1);
      jacobian.push(await Promise.all(gradients.map((gradient) => plan.read(gradient))));
    }
    return { jacobian, y: await plan.read(y) };
  }

  destroy(): void {
    this.pass.plan.destroy();
  }
}

/** Writes J·Jᵀ of one row of `rows`; the Jacobian is given by output and part of e, parts [rows,..]. */
function gramOf(
  jacobian: readonly (readonly Float32Array[])[],
  row: number,
  rows: number,
  gram: Float64Array,
): void {
  const outputs = jacobian.length;
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      jacobian[i].forEach((part, n) => {
        const other = jacobian[j][n];
        const width = part.length / rows;
        for (let at = row * width; at < (row + 1) * width; at++) sum += part[at] * other[at];
      });
      gram[i * outputs + j] = gram[j * outputs + i] = sum;
    }
  }
}
