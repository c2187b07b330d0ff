import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Stream, normals, pcg4d, toNormals, toUniform, uniforms } from '../../engine/random.js';
import { testAdapter } from '../support/adapters.js';

/** The paper's four lines, with whole numbers of any size instead of 32-bit products. */
function reference(key: readonly number[]): number[] {
  const word = (x: bigint) => x & 0xffffffffn;
  let [x, y, z, w] = key.map((one) => word(BigInt(one) * 1664525n + 1013904223n));
  const mix = () => {
    x = word(x + y * w);
    y = word(y + z * x);
    z = word(z + x * y);
    w = word(w + y * z);
  };
  mix();
  [x, y, z, w] = [x, y, z, w].map((one) => one ^ (one >> 16n));
  mix();
  return [x, y, z, w].map(Number);
}

/** Keys that touch every bit and every carry. */
const keys = [
  [0, 0, 0, 0],
  [1, 2, 3, 4],
  [2020, 7, 0x811c9dc5, 123456],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
  ...Array.from({ length: 32 }, (_, bit) => [2 ** bit, 2 ** (31 - bit), 3 * bit, 0x9e3779b9]),
];

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

/** Pearson's χ² of `values` in [0, 1) over equal bins. Its mean is bins − 1, its standard deviation √(2·bins). */
function chiSquared(values: ArrayLike<number>, bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) counts[Math.floor(values[i] * bins)]++;
  const expected = values.length / bins;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

const pcg = suite('pcg4d');

pcg('equals the formula in whole numbers', () => {
  for (const key of keys)
    assert.equal([...pcg4d(key[0], key[1], key[2], key[3])], reference(key), key.join());
});

pcg('changes half of the upper bits when a bit of the key changes', () => {
  // The lower 16 bits miss changes of a key's top bits; the 24 that toUniform keeps weigh them least.
  const upperBits = (x: number) => (x >>> 16).toString(2).split('1').length - 1;
  for (let part = 0; part < 4; part++) {
    let changed = 0;
    for (let i = 0; i < 3100; i++) {
      const key = [2020, i, 77, 3 * i];
      const other = key.map((one, at) => (at === part ? one ^ (1 << (i % 31)) : one));
      const [a, b] = [key, other].map((one) => pcg4d(one[0], one[1], one[2], one[3]));
      changed += a.reduce((sum, lane, at) => sum + upperBits(lane ^ b[at]), 0);
    }
    const share = changed / (3100 * 64);
    assert.ok(Math.abs(share - 0.5) < 0.005, `part ${part}: ${share}`);
  }
});

pcg('gives the same numbers in WGSL', async () => {
  const { adapter } = await testAdapter();
  const device = await adapter.requestDevice();
  const code = /* wgsl */ `
    @group(0) @binding(0) var<storage, read> keys: array<vec4u>;
    @group(0) @binding(1) var<storage, read_write> words: array<vec4u>;
    @group(0) @binding(2) var<storage, read_write> numbers: array<vec4f>;
    fn pcg4d(key: vec4u) -> vec4u {
      var v = key * 1664525u + 1013904223u;
      v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
      v ^= v >> vec4u(16u);
      v.x += v.y * v.w; v.y += v.z * v.x; v.z += v.x * v.y; v.w += v.y * v.z;
      return v;
    }
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x >= arrayLength(&keys)) { return; }
      words[id.x] = pcg4d(keys[id.x]);
      numbers[id.x] = vec4f(words[id.x] >> vec4u(8u)) * exp2(-24.0);
    }`;
  const bytes = 16 * keys.length;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffers = [0, 1, 2].map(() => device.createBuffer({ size: bytes, usage }));
  const staging = device.createBuffer({
    size: 2 * bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffers[0], 0, Uint32Array.from(keys.flat()));
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(keys.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(buffers[1], 0, staging, 0, bytes);
  encoder.copyBufferToBuffer(buffers[2], 0, staging, bytes, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const all = staging.getMappedRange().slice(0);
  device.destroy();
  const words = [...new Uint32Array(all, 0, 4 * keys.length)];
  const expected = keys.flatMap((key) => [...pcg4d(key[0], key[1], key[2], key[3])]);
  assert.equal(words, expected);
  assert.equal([...new Float32Array(all, bytes)], expected.map(toUniform));
});

pcg.run();

const uniform = suite('uniforms');

uniform('are in [0, 1) and exact in f32', () => {
  assert.is(toUniform(0), 0);
  assert.is(toUniform(0xffffffff), 1 - 2 ** -24);
  assert.ok(uniforms(Stream.named(1, 'w'), 4001).every((u) => u >= 0 && u < 1));
  assert.is(Math.fround(toUniform(0x12345678)), toUniform(0x12345678));
});

uniform('fill 256 bins evenly along every part of the key', () => {
  const along: Record<string, (i: number) => readonly number[]> = {
    seed: (i) => pcg4d(i, 3, 5, 7),
    step: (i) => pcg4d(2020, i, 5, 7),
    stream: (i) => pcg4d(2020, 3, i, 7),
    index: (i) => pcg4d(2020, 3, 5, i),
  };
  for (const [part, hash] of Object.entries(along)) {
    for (let lane = 0; lane < 4; lane++) {
      const values = Array.from({ length: 1 << 16 }, (_, i) => toUniform(hash(i)[lane]));
      const spread = chiSquared(values, 256);
      assert.ok(Math.abs(spread - 255) < 5 * Math.sqrt(2 * 256), `${part}, lane ${lane}: χ² ${spread}`);
    }
  }
});

uniform('do not correlate with their neighbours, with the next step or with another stream', () => {
  const count = 1 << 16;
  const values = uniforms(Stream.named(2020, 'a'), count);
  const others: Record<string, Float32Array> = {
    'next element': values.slice(1),
    'four elements on': values.slice(4),
    'next step': uniforms(Stream.named(2020, 'a', 1), count),
    'next seed': uniforms(Stream.named(2021, 'a'), count),
    'another name': uniforms(Stream.named(2020, 'b'), count),
  };
  for (const [what, other] of Object.entries(others)) {
    const products = Array.from(other, (u, i) => (u - 0.5) * (values[i] - 0.5) * 12);
    assert.ok(Math.abs(mean(products)) < 4 / Math.sqrt(products.length), `${what}: ${mean(products)}`);
  }
});

uniform('of a shorter request are the beginning of a longer one', () => {
  const stream = Stream.named(7, 'w');
  assert.equal([...uniforms(stream, 6)], [...uniforms(stream, 101).slice(0, 6)]);
  assert.equal([...normals(stream, 6)], [...normals(stream, 101).slice(0, 6)]);
  assert.is(uniforms(stream, 0).length, 0);
});

uniform.run();

const normal = suite('normals');

normal('have the moments of the standard normal law', () => {
  const count = 200_001;
  const values = normals(Stream.named(2020, 'w'), count);
  assert.is(values.length, count);
  // The moments 1 to 4 of N(0,1) with five standard errors, √(Var(zᵏ)/count).
  for (const [power, moment, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ]) {
    const found = mean(values.map((z) => z ** power));
    assert.ok(Math.abs(found - moment) < 5 * Math.sqrt(variance / count), `E z^${power} = ${found}`);
  }
  const tail = values.filter((z) => Math.abs(z) > 3).length / count;
  assert.ok(Math.abs(tail - 0.0027) < 0.0006, `P(|z| > 3) = ${tail}`);
});

normal('are finite for every word', () => {
  for (const word of [0, 1, 0x7fffffff, 0xffffffff]) {
    for (const z of toNormals(word, 0xffffffff - word)) assert.ok(Number.isFinite(z) && Math.abs(z) < 6.7);
  }
});

normal('come in pairs that do not correlate', () => {
  const values = normals(Stream.named(3, 'w'), 1 << 17);
  const products = Array.from({ length: 1 << 16 }, (_, j) => values[2 * j] * values[2 * j + 1]);
  assert.ok(Math.abs(mean(products)) < 4 / 256, `${mean(products)}`);
});

normal.run();

const stream = suite('Stream');

stream('is the same for a seed and a name, and differs for others', () => {
  assert.equal(Stream.named(2020, 'bias'), Stream.named(2020, 'bias'));
  const words = ['bias', 'bia', 'sbia', 'mlp_layers.0.weight', 'mlp_layers.1.weight', ''];
  assert.is(new Set(words.map((word) => Stream.named(2020, word).stream)).size, words.length);
  assert.is.not(Stream.named(1, 'w').seed, Stream.named(2, 'w').seed);
});

stream('hashes a name by FNV-1a', () => {
  // Published values of the 32-bit FNV-1a hash.
  assert.is(Stream.named(0, '').stream, 0x811c9dc5);
  assert.is(Stream.named(0, 'a').stream, 0xe40c292c);
  assert.is(Stream.named(0, 'foobar').stream, 0xbf9cf968);
});

stream.run();
