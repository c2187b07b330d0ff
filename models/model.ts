import type { Initializer, Shape, Tape, Tensor } from '../engine/index.js';
import type { Schema } from '../data/schema.js';
import type { Batch } from './batch.js';

/** What an option of a model can be. */
export type OptionValue =
  | boolean
  | number
  | string
  | readonly number[]
  | readonly string[]
  | Readonly<Record<string, readonly string[]>>
  | null;

/** An option with its default and what it means, from which help and types are made. */
export interface Option<T extends OptionValue = OptionValue> {
  readonly default: T;
  readonly meaning: string;
}

/** Declares an option. */
export const option = <T extends OptionValue>(value: T, meaning: string): Option<Widen<T>> => ({
  default: value as unknown as Widen<T>,
  meaning,
});

/** The type of a literal, so that `option(64, …)` takes any number. */
type Widen<T> = T extends number ? number : T extends boolean ? boolean : T extends string ? string : T;

/** What a row of a table is: an embedding of a feature, or its weights in a first-order term. */
export type Embedded = 'embedding' | 'weight';

/** With what a model declares its parameters. */
export interface Builder {
  readonly schema: Schema;
  /** Logits a row: 1 binary, else one per rating class. */
  readonly classes: number;
  readonly embeddingSize: number;
  /** True while parameters are trained: dropout and batch norm behave accordingly. */
  readonly tape: Tape;
  /** A trained tensor under the reference's state_dict name. */
  parameter(name: string, shape: Shape, init: Initializer): Tensor;
  /** A trained tensor of which a step reads few rows. */
  table(name: string, rows: number, dim: number): Tensor;
  /**
   * What is read of tables for a batch, as the rest of the model is to see it: as it is, or disturbed (gradient penalty,
   * Lipschitz meter). Parts are [B,n,D] or [B,1,D]; of a model that has no embeddings the weights of features stand for them.
   */
  embedded(kind: Embedded, read: () => Tensor[]): Tensor[];
  /** Adds weight · ‖w‖₂ to the loss. */
  regularize(w: Tensor, weight: number): void;
  /** Makes the loss of training weight · (what it was) + `more` [1]. */
  mixLoss(weight: number, more: Tensor): void;
}

/** From a batch to logits [B,K]: the model's equation. */
export type Forward = (batch: Batch) => Tensor;

/** A model as it is registered. */
export interface Model {
  /** RecBole's name. */
  readonly name: string;
  readonly paper: string;
  /** Its options beside embedding_size, under RecBole's names. */
  readonly config: Readonly<Record<string, Option>>;
  /** What becomes of options that cannot be used as they were given, one sentence each. */
  notes?(options: Readonly<Record<string, OptionValue>>): readonly string[];
  /** The fields that it reads and their order, of those that there are; all as they are if it is left out. */
  arrange?(schema: Schema): Schema;
  /** What binary logits are compared with; the label if it is left out. */
  target?(options: Readonly<Record<string, OptionValue>>): Target;
  /** A file of weights to begin with: a checkpoint, or one of safetensors. */
  initialWeights?(options: Readonly<Record<string, OptionValue>>): string | null;
  build(b: Builder, options: Readonly<Record<string, OptionValue>>): Forward;
}

/** Where the target of a binary logit comes from. */
export type Target = 'label' | 'rating';

type Values<C> = { readonly [K in keyof C]: C[K] extends Option<infer T> ? T : never };

/** Defines a model; `build` sees the options with the types of their defaults. */
export function defineModel<const C extends Readonly<Record<string, Option>>>(model: {
  readonly name: string;
  readonly paper: string;
  readonly config: C;
  notes?(options: Values<C>): readonly string[];
  arrange?(schema: Schema): Schema;
  target?(options: Values<C>): Target;
  initialWeights?(options: Values<C>): string | null;
  build(b: Builder, options: Values<C>): Forward;
}): Model {
  return {
    ...model,
    notes: (options) => model.notes?.(options as Values<C>) ?? [],
    target: (options) => model.target?.(options as Values<C>) ?? 'label',
    initialWeights: (options) => model.initialWeights?.(options as Values<C>) ?? null,
    build: (b, options) => model.build(b, options as Values<C>),
  };
}
