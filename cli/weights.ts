/** Weights under the names of the reference's state_dict, from wherever they come. */
import type { Dataset } from '../data/schema.js';
import type { Store } from '../engine/index.js';
import { CheckpointError, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { isContainer } from './checkpoint/container.js';
import { checkSameIds, checkWhole } from './open.js';
import { idsPath, readIdMaps, type IdMaps } from './weights/ids.js';
import { readSafetensors, type WeightMap } from './weights/safetensors.js';

/** A file of weights. */
export interface Weights {
  readonly path: string;
  /** What messages call it. */
  readonly origin: string;
  readonly tensors: WeightMap;
  /** Whose rows the rows of its tables are; null if the file does not say. */
  readonly ids: IdMaps | null;
}

/** Parameters and running statistics of a checkpoint, without what training keeps beside them. */
export function weightsOf({ tensors }: Checkpoint): WeightMap {
  return new Map(
    [...tensors].flatMap(([name, { kind, shape, data }]) =>
      kind !== 'slot' && data instanceof Float32Array ? [[name, { shape, data }] as const] : [],
    ),
  );
}

/**
 * Reads a checkpoint or a safetensors file, told apart by how they begin, with the id maps beside the latter. Throws
 * CheckpointError, and the system's error if it cannot be read.
 */
export async function readWeights(path: string): Promise<Weights> {
  if (await isContainer(path)) {
    const checkpoint = await readCheckpoint(path);
    checkWhole(checkpoint);
    return { path, origin: `checkpoint ${path}`, tensors: weightsOf(checkpoint), ids: checkpoint };
  }
  const ids = await readIdMaps(idsPath(path));
  return { path, origin: `weights ${path}`, tensors: await readSafetensors(path), ids };
}

/** Throws CheckpointError if the file says that its rows belong to other tokens than those of the data set. */
export function checkIdsOf(
  { origin, ids }: Weights,
  dataset: Pick<Dataset, 'schema' | 'vocabularies'>,
): void {
  if (ids !== null) checkSameIds(ids, dataset, origin);
}

/** Counts of batches, which batch norms of PyTorch keep and nothing needs. */
const counter = /\.num_batches_tracked$/;
const shapeText = (shape: readonly number[]) => `[${shape.join(',')}]`;
const remedy = 'give weights of this very model, its options and its data set';

/**
 * Puts weights into the store, which must have the very same parameters and running statistics. Throws CheckpointError
 * before anything is written.
 */
export function putWeights(store: Store, { origin, tensors }: Weights): void {
  const wanted = store.list('parameter', 'state');
  for (const { name, shape } of wanted) {
    const found = tensors.get(name);
    if (found === undefined)
      throw new CheckpointError(
        `${origin}: has no ${name} ${shapeText(shape)}, which this model needs; ${remedy}`,
      );
    if (shapeText(found.shape) === shapeText(shape)) continue;
    throw new CheckpointError(
      `${origin}: ${name} is ${shapeText(found.shape)}, but this model needs ${shapeText(shape)}; ${remedy}`,
    );
  }
  for (const [name, { shape }] of tensors) {
    if (store.has(name) || counter.test(name)) continue;
    throw new CheckpointError(
      `${origin}: has a ${name} ${shapeText(shape)}, which this model has not; ${remedy}`,
    );
  }
  for (const { name } of wanted) store.write(name, (tensors.get(name) as { data: Float32Array }).data);
}
