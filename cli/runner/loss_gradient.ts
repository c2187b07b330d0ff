import { compile, type Device, type Plan, type Store, type Tensor } from '../../engine/index.js';
import {
  Feed,
  segmentSpecs,
  traceLoss,
  uploadChunk,
  uploadFeatures,
  type Features,
  type Program,
} from '../../models/index.js';

/** L2 norms of some parameters together and of the gradient of the loss by them. */
export interface Norm {
  readonly weight: number;
  readonly gradient: number;
}

/** Norms of the tables of which the input is embedded, and of all else that the loss depends on. */
export interface Norms {
  readonly embedding: Norm;
  readonly other: Norm;
}

interface Measured {
  readonly name: string;
  readonly gradient: Tensor;
}

function squares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
}

const isFirstOrder = (name: string) => name.startsWith('first_order_linear.');

/** The loss of one fixed batch as evaluation sees it, and its gradient; changes nothing in the store. */
export class LossGradient {
  private constructor(
    private readonly store: Store,
    private readonly plan: Plan,
    private readonly embedding: readonly Measured[],
    private readonly other: readonly Measured[],
  ) {}

  /**
   * Compiles the pass and feeds it the batch `rows`, for a store whose parameters are there already. Throws ShapeError,
   * KernelError, DeviceError.
   */
  static async open(
    device: Device,
    store: Store,
    program: Program,
    features: Features,
    rows: Uint32Array,
  ): Promise<LossGradient> {
    const scope = 'loss_gradient';
    const count = rows.length;
    const { users, items } = features;
    const sizes = { scope, rows: count, capacity: count, chunkSteps: 1, users, items, denseTables: true };
    const { tape, batch, loss } = traceLoss(program, sizes);
    const plan = await compile(device, store, { tape, loss, keep: [] });
    uploadFeatures(store, features); // no plan before this one need have read all of them
    const feed = new Feed(features, { capacity: count, chunkSteps: 1, segments: segmentSpecs(batch) });
    uploadChunk(store, scope, feed.chunk(rows, count));
    const read = [...plan.gradients].flatMap(([{ name }, gradient]) =>
      gradient.kind === 'dense' ? [{ name, gradient: gradient.tensor }] : [],
    );
    const tables = new Set([...tape.initial].flatMap(([{ name }, { table }]) => (table ? [name] : [])));
    const isTable = ({ name }: Measured) => tables.has(name);
    const embeddings = read.filter((one) => isTable(one) && !isFirstOrder(one.name));
    // What embeds nothing has the weights of features in that place, as the probe has.
    const embedding = embeddings.length > 0 ? embeddings : read.filter(isTable);
    const other = read.filter((one) => !embedding.includes(one));
    return new LossGradient(store, plan, embedding, other);
  }

  /** Norms at the parameters as they are. */
  async norms(): Promise<Norms> {
    this.plan.setPosition({ step: 0, cursor: 0, seed: 0 });
    this.plan.run(1);
    return { embedding: await this.normOf(this.embedding), other: await this.normOf(this.other) };
  }

  private async normOf(measured: readonly Measured[]): Promise<Norm> {
    let [weight, slope] = [0, 0];
    for (const { name, gradient } of measured) {
      weight += squares(await this.store.read(name));
      slope += squares(await this.plan.read(gradient));
    }
    return { weight: Math.sqrt(weight), gradient: Math.sqrt(slope) };
  }

  destroy(): void {
    this.plan.destroy();
  }
}
