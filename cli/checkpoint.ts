import type { Schema } from '../data/schema.js';
import type { EntryKind, Store } from '../engine/index.js';
import type { ConfigRecord } from './config/saved.js';
import { CheckpointError, readContainer, writeContainer } from './checkpoint/container.js';
import { Malformed } from './checkpoint/fields.js';
import {
  plainRun,
  readMeta,
  type DataIdentity,
  type Meta,
  type TensorHeader,
  type TensorKind,
} from './checkpoint/meta.js';
import type { Metrics, RunState } from './train/state.js';

export { CheckpointError } from './checkpoint/container.js';
export type { DataIdentity, TensorKind } from './checkpoint/meta.js';

/** A tensor outside the device. */
export interface SavedTensor {
  readonly kind: TensorKind;
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint32Array;
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, SavedTensor>;

/** What stays the same in all checkpoints of a run. */
export interface RunIdentity {
  readonly config: ConfigRecord;
  /** Name of the adapter: bits may differ on another. */
  readonly adapter: string;
  readonly data: DataIdentity;
  readonly schema: Schema;
  /** Field → tokens by id; fields may share a list. */
  readonly vocabularies: ReadonlyMap<string, readonly string[]>;
}

/** What differs from one checkpoint of a run to the next. */
export interface Progress {
  /** Epochs of training in the tensors. */
  readonly epochs: number;
  /** Metrics of the model on the valid part, where it was evaluated. */
  readonly valid: Metrics | null;
  /** What a run needs to go on, beside optimizer slots; null where only the model is kept. */
  readonly run: RunState | null;
  readonly tensors: Tensors;
}

/** A checkpoint as it was read; its configuration is for configFromRecord, which checks it. */
export interface Checkpoint extends Omit<RunIdentity, 'config'>, Progress {
  readonly path: string;
  readonly config: unknown;
}

/** Writes checkpoints of one run. */
export interface CheckpointWriter {
  /** Replaces the file at `path` in one step. Throws the system's error; the old file is whole then. */
  write(path: string, progress: Progress): Promise<void>;
}

/** A writer for the run: tokens are encoded once, not with every checkpoint. */
export function checkpointWriter(identity: RunIdentity): CheckpointWriter {
  const { vocabularies, ...constant } = identity;
  const lists = [...new Set(vocabularies.values())];
  const encoder = new TextEncoder();
  // Tokens come from lines of a file, so none holds the end of a line.
  const texts = lists.map((tokens) => encoder.encode(tokens.join('\n')));
  const tokens = {
    tokens: lists.map(({ length }) => length),
    vocabularies: [...vocabularies].map(([field, list]) => ({ field, tokens: lists.indexOf(list) })),
  };
  return {
    async write(path, { tensors, run, ...rest }) {
      const headers = [...tensors].map(([name, { kind, shape, data }]) => ({
        name,
        kind,
        dtype: data instanceof Float32Array ? 'f32' : 'u32',
        shape: [...shape],
      }));
      const meta = { ...constant, ...rest, run: run && plainRun(run), tensors: headers, ...tokens };
      const words = [...tensors.values()].map(({ data }) => bytesOf(data));
      await writeContainer(path, { meta, blobs: [...words, ...texts] });
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/**
 * Reads and checks a checkpoint; nothing in it is executed. Throws CheckpointError for a file that is
 * damaged, of another version or not ours, and the system's error if it cannot be read.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { meta, blobs } = await readContainer(path);
  try {
    const { tensors, tokens, vocabularies, ...rest } = readMeta(meta);
    if (blobs.length !== tensors.length + tokens.length) {
      throw new Malformed(`it holds ${blobs.length} blobs, not ${tensors.length + tokens.length}`);
    }
    return {
      path,
      ...rest,
      tensors: readTensors(tensors, blobs),
      vocabularies: readVocabularies(vocabularies, tokens, blobs.slice(tensors.length)),
    };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new CheckpointError(`checkpoint ${path}: ${error.message}; use another one`);
  }
}

function readTensors(headers: readonly TensorHeader[], blobs: readonly Uint8Array[]): Tensors {
  const tensors = headers.map(({ name, kind, dtype, shape }, i): [string, SavedTensor] => {
    const { buffer, byteLength } = blobs[i];
    const bytes = shape.reduce((product, axis) => product * axis, 4);
    if (byteLength !== bytes) throw new Malformed(`${name} has ${byteLength} bytes, not ${bytes}`);
    return [
      name,
      { kind, shape, data: dtype === 'f32' ? new Float32Array(buffer) : new Uint32Array(buffer) },
    ];
  });
  const byName = new Map(tensors);
  if (byName.size !== tensors.length) throw new Malformed('two of its tensors have the same name');
  return byName;
}

function readVocabularies(
  vocabularies: Meta['vocabularies'],
  counts: readonly number[],
  blobs: readonly Uint8Array[],
): ReadonlyMap<string, readonly string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const lists = blobs.map((bytes, i) => {
    const tokens = decoder.decode(bytes).split('\n');
    if (tokens.length !== counts[i]) {
      throw new Malformed(`vocabulary ${i} has ${tokens.length} tokens, not ${counts[i]}`);
    }
    return tokens;
  });
  const of = ([field, at]: readonly [string, number]): [string, readonly string[]] => {
    if (at >= lists.length) throw new Malformed(`${field} has no vocabulary`);
    return [field, lists[at]];
  };
  return new Map(vocabularies.map(of));
}

/** Copies of all tensors of these kinds, as they are after everything submitted so far. */
export async function takeTensors(store: Store, ...kinds: readonly TensorKind[]): Promise<Tensors> {
  const tensors = new Map<string, SavedTensor>();
  for (const { name, kind, shape } of store.list(...kinds)) {
    if (kind !== 'input') tensors.set(name, { kind, shape, data: await store.read(name) });
  }
  return tensors;
}

const formatShape = (shape: readonly number[]) => `[${shape.join(',')}]`;

/**
 * Writes the tensors of these kinds into the store, which must have the very same. `origin` names where they
 * come from. Throws CheckpointError before anything is written.
 */
export function putTensors(
  store: Store,
  tensors: Tensors,
  origin: string,
  ...kinds: readonly EntryKind[]
): void {
  const wanted = store.list(...kinds);
  for (const { name, kind, shape, dtype } of wanted) {
    const saved = tensors.get(name);
    if (saved === undefined) {
      throw new CheckpointError(`${origin}: has no ${kind} ${name}, which this model needs; retrain`);
    }
    const savedType = saved.data instanceof Float32Array ? 'f32' : 'u32';
    if (formatShape(saved.shape) === formatShape(shape) && savedType === dtype && saved.kind === kind)
      continue;
    throw new CheckpointError(
      `${origin}: ${saved.kind} ${name} is ${savedType} ${formatShape(saved.shape)}, ` +
        `this model and schema need ${dtype} ${formatShape(shape)}; rebuild the vocabulary or retrain`,
    );
  }
  const known = new Set(wanted.map(({ name }) => name));
  for (const [name, { kind }] of tensors) {
    if (!kinds.includes(kind) || known.has(name)) continue;
    throw new CheckpointError(`${origin}: has a ${kind} ${name}, which this model has not; retrain`);
  }
  for (const { name } of wanted) store.write(name, (tensors.get(name) as SavedTensor).data);
}
