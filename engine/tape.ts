import { ShapeError, format, sameShape, size, type Shape } from './shape.js';
import { stateWords } from './step.js';
import type { Dtype, Tensor, TensorKind } from './tensor.js';
import type { Initializer } from './init.js';
import type { SegmentLayout, SegmentRule } from './segments.js';

/** One kernel launch: the entry point of a shader, tensors by WGSL variable name, members of `struct Dims`. */
export interface Dispatch {
  /** What it is done for, in profiles and diagnoses: the op's or optimizer's name. */
  readonly op: string;
  /** Base name of the file in shaders/. */
  readonly shader: string;
  readonly entry: string;
  readonly buffers: Readonly<Record<string, Tensor>>;
  readonly dims: Readonly<Record<string, number>>;
  /** Invocations wanted along x, y, z; the device divides by the workgroup size and clamps to its limit. */
  readonly over: readonly number[];
  /** All that it writes or helps to compute, where it may be left out if nothing reads that: see prune.ts. */
  readonly results?: readonly Tensor[];
}

/** Records the launch of `entry`. */
export type Launch = (
  entry: string,
  buffers: Readonly<Record<string, Tensor>>,
  dims: Readonly<Record<string, number>>,
  over: readonly number[],
) => void;

/** What an op's rules write with. */
export interface Run extends Launch {
  /** Memory that lives as long as dispatches use it. */
  scratch(name: string, shape: Shape, dtype?: Dtype): Tensor;
  /** Launches at the end of the step, and only if the step's loss was finite. */
  afterStep: Launch;
  /**
   * The gradient of row `ids[i]` of `table` receives row i of `source`, or row `floor(i / rule.per)` of one that has
   * only so many.
   */
  rows(table: Tensor, ids: RowIds, source: RowSource): void;
}

/** Where the gradients of the rows that a step names go. */
export interface RowsTarget {
  /** [maxRows,D], in the order in which the step lists the rows; or [V,D], each where its row is in the table. */
  readonly g: Tensor;
  /** The latter: the other rows stay as they are. */
  readonly inTable: boolean;
  /** Zeroes what is behind the last row of the former. */
  readonly clear: boolean;
  /** As many rows of one number, for what a RowSum sums beside. */
  readonly beside?: Tensor;
}

/** Records the sums of the gradients of the rows that a step names. */
export interface RowSum {
  (list: Dispatch[], target: RowsTarget): void;
  /** What it sums on the way: `source` [B,1], a number of each example, by the groups of `ids`. */
  readonly beside?: { readonly ids: RowIds; readonly source: Tensor };
}

/** What the gradient of a table is summed from: rows [.., D], or what an op knows better how to sum. */
export type RowSource = Tensor | RowSum;

/** Row numbers of a table, with what is needed to group them: see segments.ts. */
export interface RowIds {
  /** The blocks of their groups are read from the input `segments.<name>`. */
  readonly name: string;
  readonly ids: Tensor;
  /** Sizes of the block of one step; those of the longest batch, so that a short one reads the same feed. */
  readonly layout: SegmentLayout;
  readonly rule: SegmentRule;
}

/** Gradient of a parameter: a tensor of its shape, or rows to be grouped and summed (never a dense table). */
export type Gradient =
  | { readonly kind: 'dense'; readonly tensor: Tensor }
  | { readonly kind: 'rows'; readonly ids: RowIds; readonly source: RowSource };

/** Rows `ids` of `table`, which an op may read where they are instead of from a tensor that holds copies of them. */
export interface TableRows {
  readonly table: Tensor;
  readonly ids: RowIds;
}

/** A recorded application of an op. */
export interface Application {
  readonly op: string;
  readonly shader: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** Records the backward dispatches; returns the gradient of each input, undefined where there is none. */
  backward(dy: Tensor, run: Run): readonly (Tensor | undefined)[];
}

export interface TapeOptions {
  /** Dropout and batch norm behave as in training. */
  readonly training: boolean;
  /** Goes before the names of inputs, so that plans of one purpose share them: 'train', 'eval'. */
  readonly scope?: string;
  /** Steps whose inputs are fed at once; kernels find theirs through the cursor of the step state. */
  readonly chunkSteps?: number;
  /** Makes gradients of embedding tables dense (for parity checks and --dense_adam). */
  readonly denseTables?: boolean;
}

/** How a parameter or state starts. */
export interface Initial {
  readonly init: Initializer;
  /** Read by rows: its gradient stays sparse and its optimizer works by rows. */
  readonly table?: boolean;
}

/** Records tensors, dispatches and applications while a model is traced; `backward` walks them in reverse. */
export class Tape {
  readonly training: boolean;
  readonly scope: string;
  readonly denseTables: boolean;
  readonly chunkSteps: number;
  readonly forward: Dispatch[] = [];
  readonly deferred: Dispatch[] = [];
  readonly initial = new Map<Tensor, Initial>();
  readonly constants = new Map<Tensor, Float32Array>();
  /** Of tensors that are nothing but rows of a table. */
  readonly rowsOf = new Map<Tensor, TableRows>();
  /** Of tensors that are others side by side along axis 1. */
  readonly partsOf = new Map<Tensor, readonly Tensor[]>();
  private readonly applications: Application[] = [];
  private readonly named = new Map<string, Tensor>();
  private count = 0;
  private streams = 0;

  constructor({ training, scope = '', chunkSteps = 1, denseTables = false }: TapeOptions) {
    this.training = training;
    this.scope = scope;
    this.denseTables = denseTables;
    this.chunkSteps = chunkSteps;
  }

  private make(
    kind: TensorKind,
    name: string,
    shape: Shape,
    dtype: Dtype,
    needsGrad: boolean,
    alias?: Tensor,
  ) {
    if (shape.length === 0 || shape.some((axis) => !Number.isInteger(axis) || axis < 1)) {
      throw new ShapeError(`${name}: shape ${format(shape)} is not made of positive whole numbers`);
    }
    const tensor: Tensor = { id: this.count++, name, shape, dtype, kind, needsGrad, tape: this, alias };
    return tensor;
  }

  private once(kind: TensorKind, name: string, shape: Shape, dtype: Dtype, needsGrad = false): Tensor {
    const known = this.named.get(name);
    if (known !== undefined) {
      if (sameShape(known.shape, shape) && known.dtype === dtype && known.kind === kind) return known;
      throw new ShapeError(
        `${name}: declared as ${known.kind} ${format(known.shape)} and again as ${kind} ${format(shape)}`,
      );
    }
    const tensor = this.make(kind, name, shape, dtype, needsGrad);
    this.named.set(name, tensor);
    return tensor;
  }

  /** A tensor written from outside between runs; plans with the same scope share its buffer. */
  input(name: string, shape: Shape, dtype: Dtype = 'f32'): Tensor {
    return this.once('input', this.scoped(name), shape, dtype);
  }

  /** Like input, but one buffer for the plans of all scopes: features of users and items. */
  shared(name: string, shape: Shape, dtype: Dtype = 'f32'): Tensor {
    return this.once('input', name, shape, dtype);
  }

  private scoped(name: string): string {
    return this.scope === '' ? name : `${this.scope}/${name}`;
  }

  /** An input whose gradient is wanted (gradient checks, the Lipschitz meter). */
  variable(name: string, shape: Shape): Tensor {
    return this.once('input', this.scoped(name), shape, 'f32', true);
  }

  /** A trained tensor under the reference's state_dict name. */
  parameter(name: string, shape: Shape, initial: Initial): Tensor {
    const tensor = this.once('parameter', name, shape, 'f32', true);
    this.initial.set(tensor, initial);
    return tensor;
  }

  /** A tensor kept between steps but not trained, such as running statistics. */
  state(name: string, shape: Shape, init: Initializer): Tensor {
    const tensor = this.once('state', name, shape, 'f32');
    this.initial.set(tensor, { init });
    return tensor;
  }

  /** A tensor that an optimizer keeps beside a parameter; zero at first. */
  slot(name: string, shape: Shape, dtype: Dtype = 'f32'): Tensor {
    return this.once('slot', name, shape, dtype);
  }

  /** Fixed values. */
  constant(name: string, shape: Shape, data: Float32Array): Tensor {
    const tensor = this.make('constant', name, shape, 'f32', false);
    this.constants.set(tensor, data);
    return tensor;
  }

  activation(name: string, shape: Shape, dtype: Dtype = 'f32', needsGrad = false): Tensor {
    return this.make('activation', name, shape, dtype, needsGrad);
  }

  /** The same elements under another shape; no copy is made. Throws ShapeError if the sizes differ. */
  view(t: Tensor, shape: Shape, needsGrad = t.needsGrad): Tensor {
    if (size(t.shape) !== size(shape)) {
      throw new ShapeError(
        `reshape: ${format(t.shape)} has ${size(t.shape)} elements, ${format(shape)} ${size(shape)}`,
      );
    }
    return this.make(t.kind, t.name, shape, t.dtype, needsGrad, t);
  }

  /** `struct State` of the kernels: see step.ts. */
  stepState(): Tensor {
    return this.input('state', [stateWords], 'u32');
  }

  /** Tells apart what draws random numbers: 0, 1, … in the order of the trace, so that equal traces draw equally. */
  nextStream(): number {
    return this.streams++;
  }

  /** Streams that were told apart so far. */
  get drawn(): number {
    return this.streams;
  }

  /** Traces with the random numbers of the streams from `first` on, which were drawn before: a second pass like the first. */
  replay<T>(first: number, trace: () => T): T {
    const { streams } = this;
    this.streams = first;
    try {
      return trace();
    } finally {
      this.streams = streams;
    }
  }

  record(application: Application): void {
    this.applications.push(application);
  }

  /** Writes dispatches of op `op` from `shader` into `list`; `results` as in Dispatch. */
  launcher(op: string, shader: string, list: Dispatch[], results?: readonly Tensor[]): Launch {
    return (entry, buffers, dims, over) => list.push({ op, shader, entry, buffers, dims, over, results });
  }

  /** What rules of `op` write with; `rows` says where row gradients go. */
  runner(op: string, shader: string, list: Dispatch[], rows: Run['rows'], results?: readonly Tensor[]): Run {
    return Object.assign(this.launcher(op, shader, list, results), {
      scratch: (name: string, shape: Shape, dtype: Dtype = 'f32') =>
        this.activation(`${op}.${name}`, shape, dtype),
      afterStep: this.launcher(op, shader, this.deferred),
      rows,
    });
  }

  /** Parameters and variables: the tensors whose gradient somebody wants, in the order of their declaration. */
  trainable(): readonly Tensor[] {
    return [...this.named.values()].filter((t) => t.needsGrad);
  }

  /** Applications in the order in which they were recorded. */
  recorded(): readonly Application[] {
    return this.applications;
  }

  /** Those that read `t`. */
  readersOf(t: Tensor): readonly Application[] {
    return this.applications.filter(({ inputs }) => inputs.includes(t));
  }
}
