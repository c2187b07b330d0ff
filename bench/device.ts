import { readFileSync } from 'node:fs';
import { findAdapter, readShader } from '../engine/adapter.js';
import { openWebGpu, type Device } from '../engine/index.js';

/** Text of a shader of the engine, or of the benchmarks' own, which begin with `bench_`. */
function readBenchShader(name: string): string {
  if (!name.startsWith('bench_')) return readShader(name);
  return readFileSync(new URL(`../../bench/${name}.wgsl`, import.meta.url), 'utf8');
}

/** Opens the adapter of a choice (see findAdapter) with the benchmarks' own shaders at hand. */
export async function benchDevice(choice: string): Promise<Device> {
  const { adapter, name, kind } = await findAdapter(choice);
  return openWebGpu({ adapter, name, kind, readShader: readBenchShader });
}
