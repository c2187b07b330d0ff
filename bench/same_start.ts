import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A tensor that a rival starts from. */
export interface StartTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/**
 * Writes weights and batches for rivals in other engines: start.bin, the values one tensor after the other, and
 * start.json, where each lies. Parameters have their state_dict names; 'batch/rows' [N,F] are rows of the joint table of all
 * fields, 'batch/labels' [N], in the order in which they are trained.
 */
export function writeStart(folder: string, tensors: readonly StartTensor[]): void {
  let bytes = 0;
  const places = tensors.map(({ name, shape, data }) => {
    const place = { name, type: data instanceof Int32Array ? 'i32' : 'f32', shape, offset: bytes };
    bytes += data.byteLength;
    return place;
  });
  const all = new Uint8Array(bytes);
  for (const [i, { data }] of tensors.entries()) {
    all.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), places[i].offset);
  }
  writeFileSync(join(folder, 'start.bin'), all);
  writeFileSync(join(folder, 'start.json'), `${JSON.stringify({ tensors: places }, null, 1)}\n`);
}

/** Losses of the same steps by two rivals may differ by this much of the first: sums in f32, in other orders. */
export const lossTolerance = 1e-4;

/** The largest difference of losses of the same steps, relative. */
export const lossDifference = (ours: readonly number[], theirs: readonly number[]): number =>
  Math.max(...theirs.map((loss, i) => Math.abs(loss - ours[i]) / Math.abs(ours[i])));

/**
 * Throws Error where a rival does not compute what we do: its losses of the first steps, all on one batch from the same
 * weights, are not ours, or ours do not fall by far more than the tolerance, so that equal ones would prove nothing.
 */
export function checkLosses(rival: string, ours: readonly number[], theirs: readonly number[]): void {
  const shown = (losses: readonly number[]) => losses.map((loss) => loss.toFixed(6)).join(', ');
  const difference = lossDifference(ours, theirs);
  if (theirs.length < 2 || !(difference <= lossTolerance)) {
    throw new Error(
      `it trains something else: losses ${shown(theirs)}, ours ${shown(ours.slice(0, theirs.length))}; ` +
        'no times of it are shown',
    );
  }
  const fall = (ours[0] - ours[theirs.length - 1]) / ours[0];
  if (!(fall > 5 * lossTolerance)) {
    throw new Error(
      `${rival}: its losses agree with ours, but they fall by ${fall} only, which proves no update; train more steps`,
    );
  }
}
