import type { Device } from '../engine/index.js';
import { elementwiseCases, unaryElementCases } from './kernels/elementwise.js';
import { interactionCases } from './kernels/interactions.js';
import { lossCases } from './kernels/losses.js';
import { mapCases } from './kernels/maps.js';
import type { CaseSizes } from './kernels/op_case.js';
import { tableCases } from './kernels/tables.js';
import { updateCases } from './kernels/updates.js';
import { openCase, type KernelCase, type OpenCase } from './launch.js';
import { measure, type Effort, type Timed } from './measure.js';
import { copyCandidate, type Peaks } from './peaks.js';
import { rowOf, type KernelRow } from './report.js';

/** Cases of every op and optimizer, by what is measured together. */
export const kernelFamilies: readonly ((sizes: CaseSizes) => KernelCase[])[] = [
  tableCases,
  updateCases,
  interactionCases,
  mapCases,
  unaryElementCases,
  elementwiseCases,
  lossCases,
];

/** A copy of as many bytes as each case moves, by that number. */
async function copiesOf(device: Device, cases: readonly KernelCase[]): Promise<Map<number, OpenCase>> {
  const copies = new Map<number, OpenCase>();
  for (const { bytes } of cases) {
    if (!copies.has(bytes)) copies.set(bytes, await copyCandidate(device, bytes / 2));
  }
  return copies;
}

function besideCopy(timed: Timed, copied: Timed, peaks: Peaks): KernelRow {
  const { flops } = timed.candidate;
  return {
    ...rowOf(timed, peaks),
    ofCopy: copied.minMs / timed.minMs,
    gflopPerThread: flops / 1e6 / timed.cpuMs,
  };
}

/** Every family is measured by itself, its cases and copies of their bytes in turns, and gives its memory back. */
export async function benchKernels(
  device: Device,
  sizes: CaseSizes,
  peaks: Peaks,
  effort: Effort,
): Promise<KernelRow[]> {
  const rows: KernelRow[] = [];
  for (const family of kernelFamilies) {
    const cases = family(sizes);
    const open: OpenCase[] = [];
    for (const one of cases) open.push(await openCase(device, one));
    const copies = await copiesOf(device, cases);
    const candidates = [...open, ...copies.values()].map(({ candidate }) => candidate);
    const timed = await measure(device, candidates, effort);
    const numbers = [...copies.keys()];
    const copyOf = ({ candidate }: Timed) => timed[open.length + numbers.indexOf(candidate.bytes)];
    rows.push(...timed.slice(0, open.length).map((one) => besideCopy(one, copyOf(one), peaks)));
    for (const one of [...open, ...copies.values()]) one.release();
  }
  return rows;
}
