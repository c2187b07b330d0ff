import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wasmOf } from '../support/wasm.js';

const intrinsics = suite('intrinsics');

intrinsics('all, any and dot join the components', () => {
  const entries = [2, 3, 4].map(
    (n) => `@compute @workgroup_size(1) fn width${n}() {
      let v = vec${n}f(x[0]${', x[1], x[2], x[3]'.slice(0, 6 * (n - 1))});
      y[0] = dot(v, v + 1.0);
      y[1] = f32(all(v > vec${n}f(0.0)));
      y[2] = f32(any(v > vec${n}f(2.5)));
      y[3] = f32(dot(vec${n}u(v), vec${n}u(2u)));
    }`,
  );
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>; ${entries.join('\n')}`);
  for (const x of [
    [1, 2, 3, 4],
    [1, -2, 0.5, 8],
    [3, 1, 2, -1],
  ]) {
    for (const n of [2, 3, 4]) {
      const y = new Float32Array(4);
      wasm.run(`width${n}`, { buffers: { x: Float32Array.from(x), y } });
      const v = x.slice(0, n);
      const sum = (of: (one: number) => number) => v.reduce((total, one) => total + of(one), 0);
      const positive = sum((one) => 2 * Math.max(0, Math.trunc(one)));
      assert.equal(
        [...y],
        [
          sum((one) => one * (one + 1)),
          Number(v.every((one) => one > 0)),
          Number(v.some((one) => one > 2.5)),
          positive,
        ],
      );
    }
  }
});

intrinsics('a vec4 of components of four others has them at their places', () => {
  const choices = Array.from({ length: 256 }, (_, i) => [i & 3, (i >> 2) & 3, (i >> 4) & 3, i >> 6]);
  const lines = choices.map((lanes, i) => {
    const parts = lanes.map((lane, k) => `x[${k}].${'xyzw'[lane]}`);
    return `y[${i}] = vec4f(${parts.join(', ')});`;
  });
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read> x: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
    @compute @workgroup_size(1) fn main() { ${lines.join('\n')} }`);
  const y = new Float32Array(4 * 256);
  wasm.run('main', { buffers: { x: Float32Array.from({ length: 16 }, (_, i) => i), y } });
  assert.equal(
    [...y],
    choices.flatMap((lanes) => lanes.map((lane, k) => 4 * k + lane)),
  );
});

intrinsics('a selected zero has the sign that it is written with', () => {
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
    @compute @workgroup_size(1) fn main() {
      let v = y[0];
      y[0] = select(v, vec4f(), v > vec4f(1.0));
      y[1] = select(vec4f(), v, v > vec4f(1.0));
      y[2] = select(v, vec4f(-0.0), v > vec4f(1.0));
      y[3] = select(vec4f(0.0, -0.0, 0.0, -0.0), v, v > vec4f(1.0));
    }`);
  const y = Float32Array.of(NaN, -1, 2, Infinity, ...new Float32Array(12));
  wasm.run('main', { buffers: { y } });
  assert.equal([...y.subarray(0, 8)], [NaN, -1, 0, 0, 0, 0, 2, Infinity]);
  assert.equal([...y.subarray(8)], [NaN, -1, -0, -0, 0, -0, 2, Infinity]);
  assert.ok(
    [...y].every((one, i) => one !== 0 || Object.is(one, [8, 9, 10, 11, 13, 15].includes(i) ? -0 : 0)),
  );
});

intrinsics('a select of one of two that are compared is what it says, for NaN too', () => {
  const chosen = ['a, b, a < b', 'a, b, a > b', 'b, a, a < b', 'b, a, a > b', 'a, one, a > one'];
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read> x: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
    @compute @workgroup_size(1) fn main() {
      let a = x[0];
      let b = x[1];
      let one = vec4f(1.0);
      ${chosen.map((args, i) => `y[${i}] = select(${args});`).join('\n')}
    }`);
  for (const b of [NaN, 0, -0, 3]) {
    const x = Float32Array.of(NaN, 0, -0, 2, b, b, b, b);
    const y = new Float32Array(4 * chosen.length);
    wasm.run('main', { buffers: { x, y } });
    const select = (no: number, yes: number, choice: boolean) => (choice ? yes : no);
    const wanted = (a: number) => [
      select(a, b, a < b),
      select(a, b, a > b),
      select(b, a, a < b),
      select(b, a, a > b),
      select(a, 1, a > 1),
    ];
    y.forEach((one, i) => assert.ok(Object.is(one, wanted(x[i & 3])[i >> 2]), `${chosen[i >> 2]}: ${one}`));
  }
});

/** Permuted congruential generator of four words. */
function pcg4d(state: readonly number[]): number[] {
  const v = state.map((one) => (Math.imul(one, 1664525) + 1013904223) >>> 0);
  const mixed = () => {
    v[0] = (v[0] + Math.imul(v[1], v[3])) >>> 0;
    v[1] = (v[1] + Math.imul(v[2], v[0])) >>> 0;
    v[2] = (v[2] + Math.imul(v[0], v[1])) >>> 0;
    v[3] = (v[3] + Math.imul(v[1], v[2])) >>> 0;
  };
  mixed();
  v.forEach((one, i) => (v[i] = (one ^ (one >>> 16)) >>> 0));
  mixed();
  return v;
}

intrinsics('a hash of whole numbers gives the bits that JavaScript gives', () => {
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read> x: array<vec4u>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4u>;
    fn pcg4d(state: vec4u) -> vec4u {
      var v = state * 1664525u + 1013904223u;
      v.x += v.y * v.w;
      v.y += v.z * v.x;
      v.z += v.x * v.y;
      v.w += v.y * v.z;
      v ^= v >> vec4u(16u);
      v.x += v.y * v.w;
      v.y += v.z * v.x;
      v.z += v.x * v.y;
      v.w += v.y * v.z;
      return v;
    }
    @compute @workgroup_size(1) fn main() {
      for (var i = 0u; i < arrayLength(&x); i++) {
        y[i] = pcg4d(x[i]);
      }
    }`);
  const states = Array.from({ length: 20 }, (_, i) => [
    i,
    7 * i,
    0xffffffff - i,
    Math.imul(i, 0x9e3779b9) >>> 0,
  ]);
  const y = new Uint32Array(80);
  wasm.run('main', { buffers: { x: Uint32Array.from(states.flat()), y } });
  assert.equal([...y], states.flatMap(pcg4d));
});

intrinsics('max(x, 0) hands on a NaN, of numbers and of vectors', () => {
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
    @group(0) @binding(0) var<storage, read_write> z: array<f32>;
    @compute @workgroup_size(1) fn wide() { y[0] = max(y[0], vec4f()); }
    @compute @workgroup_size(1) fn narrow() { z[0] = max(z[0], 0.0); }`);
  const y = Float32Array.of(NaN, -1, 2, -Infinity);
  const z = Float32Array.of(NaN);
  wasm.run('wide', { buffers: { y } });
  wasm.run('narrow', { buffers: { z } });
  assert.equal([...y, ...z], [NaN, 0, 2, 0, NaN]);
});

intrinsics.run();
