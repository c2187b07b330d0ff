import { Tape, type Shape, type Store, type Tensor } from '../../engine/index.js';
import type { KernelCase } from '../launch.js';
import { backwardOf, floatBytes, forwardOf, numbers } from '../record.js';

/** Sizes that all cases share. */
export interface CaseSizes {
  readonly batch: number;
  readonly fields: number;
  readonly dim: number;
  /** Rows of the tables. */
  readonly vocabularies: readonly number[];
  readonly sequence: number;
  readonly classes: number;
  /** [inner, outer] of the linear maps. */
  readonly maps: readonly (readonly [number, number])[];
  /** Columns of what elementwise ops work on. */
  readonly columns: number;
  /** Of the attention; a divisor of `dim`. */
  readonly heads: number;
  /** Feature maps of a layer of the CIN. */
  readonly channels: number;
}

/** B 4096, F 7, D 16, as a step of FM on ml-1m; maps from 64 to 1024 wide. */
export const usualSizes: CaseSizes = {
  batch: 4096,
  fields: 7,
  dim: 16,
  vocabularies: [12_000, 1_000_000],
  sequence: 8,
  classes: 5,
  maps: [
    [64, 64],
    [256, 256],
    [1024, 512],
  ],
  columns: 256,
  heads: 2,
  channels: 200,
};

/** Inputs by name. */
type Tensors = Readonly<Record<string, Tensor>>;

/** An op on numbers of some shapes, measured forward and backward. */
export interface OpCase {
  readonly name: string;
  /** What its gradient is taken by; the first one is named in tables. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Whole numbers: one for each row, below `below`. */
  readonly labels?: { readonly rows: number; readonly below: number };
  build(t: Tensors, tape: Tape): Tensor;
  /** What the forward pass writes beside y, for the gradient. */
  readonly keeps?: readonly Shape[];
  /** What the gradient reads beside dy and what was kept; the inputs if absent. */
  readonly reads?: readonly Shape[];
  /** What the gradient writes; those of all inputs if absent. */
  readonly writes?: readonly Shape[];
  /** Multiplications and additions, where they take longer than memory may. */
  readonly flops?: readonly [forward: number, gradient: number];
  /** As it is without training; then it has no gradient here. */
  readonly evaluation?: boolean;
}

const labelName = 'label';

function traced({ inputs, labels, build }: OpCase, tape: Tape): Tensor {
  const names = Object.entries(inputs);
  const t = Object.fromEntries(names.map(([name, shape]) => [name, tape.variable(name, shape)]));
  return build({ ...t, ...(labels && { label: tape.input(labelName, [labels.rows], 'u32') }) }, tape);
}

function feedOf({ labels }: OpCase) {
  return (store: Store): void => {
    for (const { name, shape, dtype } of store.list('input')) {
      if (dtype === 'f32') store.write(name, numbers(shape));
      else if (labels && name === labelName) {
        store.write(
          name,
          Uint32Array.from({ length: labels.rows }, (_, i) => (7 * i) % labels.below),
        );
      }
    }
  };
}

/** Forward and backward pass of an op, each by itself; the former alone where the latter has nothing to do. */
export function bothOf(one: OpCase): KernelCase[] {
  const { name, flops = [0, 0], keeps = [], evaluation = false } = one;
  const inputs = Object.values(one.inputs);
  const { reads = inputs, writes = inputs } = one;
  const labels = one.labels ? [[one.labels.rows]] : [];
  const build = (tape: Tape) => traced(one, tape);
  const y = build(new Tape({ training: !evaluation })).shape;
  const common = { shape: `[${inputs[0].join(',')}]`, feed: feedOf(one), tape: { training: !evaluation } };
  const forward = {
    ...common,
    name,
    bytes: floatBytes(...inputs, ...labels, y, ...keeps),
    flops: flops[0],
    record: forwardOf(build),
  };
  const gradient = {
    ...common,
    name: `${name}, gradient`,
    bytes: floatBytes(...reads, ...labels, ...keeps, y, ...writes),
    flops: flops[1],
    record: backwardOf(build),
  };
  return evaluation || writes.length === 0 ? [forward] : [forward, gradient];
}
