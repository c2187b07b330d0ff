import { findAdapter, openAdapter } from '../../engine/adapter.js';
import type { Device } from '../../engine/index.js';
import { Recording } from './recording.js';

/** Threads of the CPU on which tests run; CTR_THREADS gives others. */
const usualThreads = 2;

/** What record.js has of the tests in its process. */
export const recording = new Recording();

/** The device that tests run on: a real GPU if there is one, else checked kernels on the CPU; CTR_ADAPTER chooses. */
export async function testDevice(): Promise<Device> {
  const found = await findAdapter('auto');
  if (found.kind !== 'cpu') return openAdapter(found);
  const threads = Number(process.env.CTR_THREADS ?? usualThreads);
  const device = await openAdapter(found, { threads, checked: true });
  return process.env.CTR_RECORD ? recording.watch(device) : device;
}
