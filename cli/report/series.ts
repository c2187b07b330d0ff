import { meanStd } from '../experiment/statistics.js';
import type { CalibrationBin } from '../train/result.js';
import type { Group } from './cases.js';
import type { Epoch } from './runs.js';

/** A value of an epoch over several runs. */
export interface CurvePoint {
  readonly epoch: number;
  readonly mean: number;
  /** NaN for one run. */
  readonly std: number;
}

/** A value of one run in each epoch. */
export interface RunPoint {
  readonly seed: number;
  readonly epoch: number;
  readonly value: number;
}

/** Values of all runs, and their mean over the epochs that all of them reached: of the same runs throughout. */
export interface Curve {
  readonly runs: readonly RunPoint[];
  readonly mean: readonly CurvePoint[];
}

/** The curve of a group; empty where `of` an epoch, beside the run's first, is not known. */
export function curveOf({ runs }: Group, of: (epoch: Epoch, first: Epoch) => number): Curve {
  const points = runs.flatMap(({ result: { seed }, epochs }) =>
    epochs
      .map((epoch) => ({ seed, epoch: epoch.epoch, value: of(epoch, epochs[0]) }))
      .filter(({ value }) => Number.isFinite(value)),
  );
  const byEpoch = new Map<number, number[]>();
  for (const { epoch, value } of points) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), value]);
  const most = Math.max(0, ...[...byEpoch.values()].map((values) => values.length));
  const mean = [...byEpoch]
    .filter(([, values]) => values.length === most)
    .map(([epoch, values]) => ({ epoch, ...meanStd(values) }))
    .sort((a, b) => a.epoch - b.epoch);
  return { runs: points, mean };
}

/** The bins of several runs as those of all their rows. */
export function pooled(runs: readonly (readonly CalibrationBin[])[]): readonly CalibrationBin[] {
  const bins = new Map<number, { rows: number; predicted: number; observed: number }>();
  for (const { rows, predicted, observed } of runs.flat()) {
    const at = binOf(predicted);
    const before = bins.get(at) ?? { rows: 0, predicted: 0, observed: 0 };
    bins.set(at, {
      rows: before.rows + rows,
      predicted: before.predicted + rows * predicted,
      observed: before.observed + rows * observed,
    });
  }
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([, { rows, predicted, observed }]) => ({
      rows,
      predicted: predicted / rows,
      observed: observed / rows,
    }));
}

/** The bin, of ten, that a mean prediction is from. */
export const binOf = (predicted: number): number => Math.min(9, Math.floor(predicted * 10));

/** Expected calibration error, Naeini et al. 2015: mean |predicted − observed| over rows; NaN without rows. */
export function calibrationError(bins: readonly CalibrationBin[]): number {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  return bins.reduce(
    (sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.predicted - bin.observed),
    0 / rows,
  );
}
