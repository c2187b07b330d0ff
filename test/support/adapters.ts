import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findAdapter, type DawnAdapter } from '../../engine/adapter.js';

/** The adapter on which tests of Dawn run: that of CTR_ADAPTER, software if it names none of Dawn's. */
export async function testAdapter(): Promise<DawnAdapter> {
  const found = await findAdapter('auto');
  const dawn = found.kind === 'cpu' ? await findAdapter('software') : found;
  if (dawn.kind === 'cpu') throw new Error('software: is no adapter of Dawn');
  return dawn;
}

/** Folder of the compiled engine. */
export const engine = fileURLToPath(new URL('../../engine/', import.meta.url));

/** How a process ended and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs an ES module text in a Node of its own, with adapter.js of `from` at hand as `A` and swiftshader.js as `S`. */
export function child(script: string, env: Record<string, string> = {}, from = engine): Promise<Ended> {
  const head = ['adapter', 'swiftshader'].map(
    (file, i) => `import * as ${'AS'[i]} from '${pathToFileURL(join(from, `${file}.js`)).href}';`,
  );
  const inherited = { ...process.env, ...env };
  const args = ['--expose-gc', '--input-type=module', '-e', head.join('\n') + script];
  return new Promise((resolve) => {
    const node = spawn(process.execPath, args, { env: inherited, timeout: 60_000, killSignal: 'SIGKILL' });
    let [out, err] = ['', ''];
    node.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    node.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    node.on('close', (code, signal) => resolve({ code, signal, out: out.trim(), err }));
  });
}

/** The error of findAdapter(choice) in a process with these variables, or the name of what it found. */
export async function outcome(
  choice: string,
  env: Record<string, string> = {},
  from = engine,
): Promise<string> {
  const script = `try { console.log((await A.findAdapter(${JSON.stringify(choice)})).name); }
    catch (error) { console.log(error.name + ' ' + error.message); }`;
  return (await child(script, { CTR_ADAPTER: '', ...env }, from)).out;
}

/** Text of a function for `child`: squares(device) computes 0² … 63² in one dispatch and returns the last. */
export const dispatch = `
  async function squares(device) {
    const code = \`@group(0) @binding(0) var<storage, read_write> y: array<u32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = id.x * id.x; }\`;
    const compute = { module: device.createShaderModule({ code }) };
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
    const y = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const staging = device.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const entries = [{ binding: 0, resource: { buffer: y } }];
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, staging, 0, 256);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new Uint32Array(staging.getMappedRange().slice(0))[63];
  }`;
