import { findAdapter, openAdapter } from '../../engine/adapter.js';
import type { Device } from '../../engine/index.js';

/** Threads of the CPU on which tests run; CTR_THREADS gives others. */
const usualThreads = 2;

/** The device that tests run on: a real GPU if there is one, else checked kernels on the CPU; CTR_ADAPTER chooses. */
export async function testDevice(): Promise<Device> {
  const found = await findAdapter('auto');
  if (found.kind !== 'cpu') return openAdapter(found);
  const threads = Number(process.env.CTR_THREADS ?? usualThreads);
  return openAdapter(found, { threads, checked: true });
}
