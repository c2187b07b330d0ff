import type { Device } from '../engine/index.js';

/** Something that is submitted in one piece of many repetitions. */
export interface Candidate {
  /** What a table calls it. */
  readonly name: string;
  readonly shape: string;
  /** Bytes that one repetition must read and write, each counted once. */
  readonly bytes: number;
  /** Multiplications and additions of one repetition. */
  readonly flops: number;
  /** Most repetitions that one submit can hold; any number if absent. */
  readonly most?: number;
  /** Submits `times` repetitions; does not wait. */
  submit(times: number): void;
}

/** How long to measure. */
export interface Effort {
  /** Length of a sample, in milliseconds, in which waiting for the device is negligible. */
  readonly sampleMs: number;
  /** Samples of each candidate. */
  readonly rounds: number;
  /** Milliseconds after which a slow candidate gets no more than `fewest` samples. */
  readonly patienceMs: number;
}

/** Samples that every candidate gets. */
const fewest = 3;

/** Milliseconds of one repetition, over the samples. */
export interface Times {
  readonly minMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  /**
   * The least that all threads of the process computed for one repetition. A software adapter's threads share the time
   * of a loaded machine, so this says more than the clock there.
   */
  readonly cpuMs: number;
}

/** A candidate with its times. */
export interface Timed extends Times {
  readonly candidate: Candidate;
}

/** The value below which `share` of `sorted` lies. */
const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

/** What one repetition took in a sample, in milliseconds. */
export interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Minimum, median and 95th percentile. */
export function timesOf(samples: readonly Sample[]): Times {
  const sorted = Float64Array.from(samples, ({ ms }) => ms).sort();
  const cpuMs = Math.min(...samples.map((one) => one.cpuMs));
  return { minMs: sorted[0], medianMs: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), cpuMs };
}

/** One submit of `times` repetitions. */
async function sample(device: Device, { submit }: Candidate, times: number): Promise<Sample> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  submit(times);
  await device.settled();
  const { user, system } = process.cpuUsage(before);
  return { ms: (performance.now() - start) / times, cpuMs: (user + system) / 1000 / times };
}

/** Repetitions of which a sample consists; finding out warms up as well. */
async function repetitions(device: Device, candidate: Candidate, { sampleMs }: Effort): Promise<number> {
  const most = candidate.most ?? 4096;
  // The first time a kernel is also loaded.
  await sample(device, candidate, 1);
  let times = 1;
  for (;;) {
    const { ms: perTime } = await sample(device, candidate, times);
    if (times >= most || times * perTime >= sampleMs / 2) {
      return Math.max(1, Math.min(most, Math.round(sampleMs / perTime)));
    }
    times = Math.min(most, 4 * times);
  }
}

/**
 * Times candidates in turns, one sample of each a round, so that whatever else the machine does meets all of them.
 * The machine is never quite idle: compare minima and medians.
 */
export async function measure(
  device: Device,
  candidates: readonly Candidate[],
  effort: Effort,
): Promise<Timed[]> {
  const plans: { candidate: Candidate; times: number; spentMs: number; samples: Sample[] }[] = [];
  for (const candidate of candidates) {
    const times = await repetitions(device, candidate, effort);
    plans.push({ candidate, times, spentMs: 0, samples: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const plan of plans) {
      if (plan.samples.length >= fewest && plan.spentMs > effort.patienceMs) continue;
      const one = await sample(device, plan.candidate, plan.times);
      plan.samples.push(one);
      plan.spentMs += one.ms * plan.times;
    }
  }
  return plans.map(({ candidate, samples }) => ({ candidate, ...timesOf(samples) }));
}
