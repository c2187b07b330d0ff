import type { CommandSpec, Device } from '../engine/index.js';
import { measure, type Candidate, type Effort, type Timed } from './measure.js';

/** What an adapter does at best, as plain kernels show it. */
export interface Peaks {
  readonly copyGBs: number;
  readonly fmaGFlops: number;
}

/** Bytes of the buffer that is copied: beyond every cache of a CPU, within every adapter's limit. */
const copyBytes = 64 << 20;
/** Invocations of the arithmetic kernel: plenty for a GPU. */
const fmaInvocations = { gpu: 1 << 18, software: 1 << 12, cpu: 1 << 12 } as const;
const fmaRounds = 64;
/** 8 chains of 4 lanes, 4 links a round, 2 operations a link. */
const fmaFlopsPerRound = 8 * 4 * 4 * 2;

/** A candidate and its memory. */
interface Held {
  readonly candidate: Candidate;
  release(): void;
}

async function hold(
  device: Device,
  spec: Omit<CommandSpec, 'shader' | 'buffers'> & Pick<Candidate, 'shape' | 'bytes' | 'flops'>,
  bytes: number,
  four: '' | '4',
): Promise<Held> {
  const [x, y] = [device.buffer('bench.x', bytes), device.buffer('bench.y', bytes)];
  const { label: name, shape, bytes: moved, flops } = spec;
  const buffers = { [`x${four}`]: x, [`y${four}`]: y };
  const commands = await device.commands([{ ...spec, shader: 'bench_peaks', buffers }]);
  return {
    candidate: { name, shape, bytes: moved, flops, submit: (times) => device.run(commands, times) },
    release() {
      device.releaseCommands(commands);
      for (const buffer of [x, y]) device.release(buffer);
    },
  };
}

/** A plain copy of `bytes`, by vec4s or by floats. */
export function copyCandidate(device: Device, bytes: number, by: 'vec4' | 'f32' = 'vec4'): Promise<Held> {
  const [entry, unit, four] =
    by === 'vec4' ? (['bench_copy', 16, '4'] as const) : (['bench_copy_words', 4, ''] as const);
  const count = Math.ceil(bytes / unit);
  const cost = { shape: `${(bytes / 2 ** 20).toFixed(1)} MiB`, bytes: 2 * bytes, flops: 0 };
  return hold(device, { label: `copy, ${by}`, ...cost, entry, dims: { count }, over: [count] }, bytes, four);
}

function fmaCandidate(device: Device): Promise<Held> {
  const invocations = fmaInvocations[device.kind];
  const cost = {
    shape: `${invocations} × 8 chains of vec4s`,
    bytes: 16 * invocations,
    flops: invocations * fmaRounds * fmaFlopsPerRound,
  };
  const dims = { count: invocations, rounds: fmaRounds };
  return hold(
    device,
    { label: 'multiply-add', ...cost, entry: 'bench_fma', dims, over: [invocations] },
    16 * invocations,
    '4',
  );
}

/** The best of several samples: a peak is what is possible, not what is usual. */
export function peaksOf(copy: Timed, fma: Timed): Peaks {
  return {
    copyGBs: copy.candidate.bytes / 1e6 / copy.minMs,
    fmaGFlops: fma.candidate.flops / 1e6 / fma.minMs,
  };
}

/** Measures copy bandwidth and multiply-add rate. */
export async function measurePeaks(device: Device, effort: Effort, bytes = copyBytes) {
  const held = [
    await copyCandidate(device, bytes),
    await copyCandidate(device, bytes, 'f32'),
    await fmaCandidate(device),
  ];
  const timed = await measure(
    device,
    held.map(({ candidate }) => candidate),
    effort,
  );
  for (const one of held) one.release();
  return { timed, peaks: peaksOf(timed[0], timed[2]) };
}
