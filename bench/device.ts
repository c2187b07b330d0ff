import { readFileSync } from 'node:fs';
import { findAdapter, openAdapter, readShader } from '../engine/adapter.js';
import type { Device } from '../engine/index.js';
import { openWebGpu } from '../engine/webgpu.js';

/** Text of a shader of the engine, or of the benchmarks' own, which begin with `bench_`. */
function readBenchShader(name: string): string {
  if (!name.startsWith('bench_')) return readShader(name);
  return readFileSync(new URL(`../../bench/${name}.wgsl`, import.meta.url), 'utf8');
}

/** Opens the adapter of a choice (see findAdapter) with the benchmarks' own shaders at hand, on `threads` of the CPU. */
export async function benchDevice(choice: string, threads?: number): Promise<Device> {
  const found = await findAdapter(choice);
  // The build compiles the benchmarks' shaders along with the others.
  if (found.kind === 'cpu') return openAdapter(found, { threads });
  return openWebGpu({ ...found, readShader: readBenchShader });
}
