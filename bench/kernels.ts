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
import { copyRoof } from './roofs.js';

/** Bytes of the copy that is compared with one written by hand: beyond the caches of a core. */
const copyBytes = 16 << 20;

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

/** What a case is beside others that were measured in turns with it. */
function rowBeside(timed: Timed, copied: Timed, roof: Timed | undefined, peaks: Peaks): KernelRow {
  const { flops } = timed.candidate;
  const work = ({ candidate }: Timed) => (flops > 0 ? candidate.flops : candidate.bytes);
  return {
    ...rowOf(timed, peaks),
    ofCopy: copied.minMs / timed.minMs,
    gflopPerThread: flops / 1e6 / timed.cpuMs,
    ofRoof: roof && ((work(timed) / work(roof)) * roof.cpuMs) / timed.cpuMs,
  };
}

/** A family is measured by itself, its cases, copies of their bytes and roofs in turns, and gives its memory back. */
async function benchFamily(
  device: Device,
  cases: readonly KernelCase[],
  peaks: Peaks,
  effort: Effort,
): Promise<KernelRow[]> {
  const open: OpenCase[] = [];
  for (const one of cases) open.push(await openCase(device, one));
  const copies = await copiesOf(device, cases);
  const roofs = device.kind === 'cpu' ? [...new Set(cases.flatMap(({ roof }) => roof ?? []))] : [];
  const launched = [...open, ...copies.values()];
  const candidates = [...launched.map(({ candidate }) => candidate), ...roofs.map((roof) => roof())];
  const timed = await measure(device, candidates, effort);
  for (const one of launched) one.release();
  const numbers = [...copies.keys()];
  return cases.map(({ bytes, roof }, i) => {
    const roofAt = roof ? roofs.indexOf(roof) : -1;
    const copied = timed[open.length + numbers.indexOf(bytes)];
    return rowBeside(timed[i], copied, roofAt < 0 ? undefined : timed[launched.length + roofAt], peaks);
  });
}

/** A plain copy of the CPU target beside one written by hand. */
async function benchCopy(device: Device, peaks: Peaks, effort: Effort): Promise<KernelRow[]> {
  if (device.kind !== 'cpu') return [];
  const copy = await copyCandidate(device, copyBytes);
  const [timed, roof] = await measure(device, [copy.candidate, copyRoof(copyBytes)()], effort);
  copy.release();
  return [rowBeside(timed, timed, roof, peaks)];
}

/** Every family, and on the CPU target copies. */
export async function benchKernels(
  device: Device,
  sizes: CaseSizes,
  peaks: Peaks,
  effort: Effort,
): Promise<KernelRow[]> {
  const rows = await benchCopy(device, peaks, effort);
  for (const family of kernelFamilies)
    rows.push(...(await benchFamily(device, family(sizes), peaks, effort)));
  return rows;
}
