import type { CommandTime } from './device.js';
import type { Failures } from './webgpu_failures.js';
import { encode, type GpuCommand } from './webgpu_kernels.js';
import { copyOut, makeStaging } from './webgpu_memory.js';

/** Commands of one query set, which holds at most 4096 timestamps. */
const perQuerySet = 2048;

/** Runs commands once, each in a pass of its own, since timestamps are written where a pass begins and ends. */
export async function profileCommands(
  gpu: GPUDevice,
  failures: Failures,
  commands: readonly GpuCommand[],
): Promise<readonly CommandTime[]> {
  const stamps: bigint[] = [];
  for (let start = 0; start < commands.length; start += perQuerySet) {
    stamps.push(...(await timestamps(gpu, failures, commands.slice(start, start + perQuerySet))));
  }
  const origin = stamps[0] ?? 0n;
  return commands.map((command, i) => ({
    command,
    startNs: Number(stamps[2 * i] - origin),
    endNs: Number(stamps[2 * i + 1] - origin),
  }));
}

async function timestamps(
  gpu: GPUDevice,
  failures: Failures,
  commands: readonly GpuCommand[],
): Promise<BigUint64Array> {
  const count = 2 * commands.length;
  const querySet = gpu.createQuerySet({ type: 'timestamp', count });
  const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
  const resolved = gpu.createBuffer({ label: 'timestamps', size: 8 * count, usage });
  const staging = makeStaging(gpu, 'timestamps', 8 * count);
  const encoder = gpu.createCommandEncoder();
  commands.forEach((command, i) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    const pass = encoder.beginComputePass({ timestampWrites });
    encode(pass, command);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  gpu.queue.submit([encoder.finish()]);
  try {
    return new BigUint64Array(await copyOut(gpu, failures, resolved, staging));
  } finally {
    for (const one of [querySet, resolved, staging]) one.destroy();
  }
}
