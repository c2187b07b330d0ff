import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { wasmOf } from '../support/wasm.js';

const layout = suite('layout');

const structs = `
  struct Inner { a: vec2f, @size(16) b: f32, c: u32 }
  struct Wide { @align(32) a: u32, b: vec3u }
  struct Tail { a: u32, @size(24) b: u32 }
  struct Cell { a: u32, b: vec3f, c: f32, d: vec2u, @align(16) e: i32, f: Inner, g: array<u32, 3>, h: Wide, i: Tail, j: vec4f }`;

/** A member of Cell or of a struct in it, by its path and the number in its `v`. */
const paths = [
  'a',
  'b.x',
  'b.z',
  'c',
  'd.y',
  'e',
  'f.a.y',
  'f.b',
  'f.c',
  'g[2]',
  'h.a',
  'h.b.y',
  'i.a',
  'i.b',
  'j.x',
  'j.w',
];
const typeOf: Readonly<Record<string, string>> = {
  'b.x': 'f32',
  'b.z': 'f32',
  c: 'f32',
  e: 'i32',
  'f.a.y': 'f32',
  'f.b': 'f32',
  'j.x': 'f32',
  'j.w': 'f32',
};

interface Member {
  readonly name: string;
  readonly offset: number;
  readonly type: { readonly size: number; readonly members?: readonly Member[] };
}

/** Byte of a path in a struct, by wgsl_reflect. */
function offsetOf(members: readonly Member[], path: string): number {
  const [, name, rest = ''] = /^(\w+)\.?(.*)$/.exec(path.replace('[', '.')) ?? [];
  const member = members.find((one) => one.name === name);
  if (member === undefined) return /^\d/.test(name) ? 4 * parseInt(name, 10) : 4 * 'xyzw'.indexOf(name);
  return member.offset + (rest === '' ? 0 : offsetOf(member.type.members ?? [], rest));
}

layout('of structs is that of WGSL, with @size and @align, in arrays too', () => {
  const source = `${structs}
    struct Outer { count: u32, cells: array<Cell> }
    @group(0) @binding(0) var<storage, read> x: Outer;
    @group(0) @binding(1) var<storage, read_write> y: Outer;
    @compute @workgroup_size(1) fn store() {
      y.count = 7u;
      for (var i = 0u; i < arrayLength(&y.cells); i++) {
        ${paths
          .map((path, k) => `y.cells[i].${path} = ${typeOf[path] ?? 'u32'}(${k + 1}u + 100u * i);`)
          .filter((text) => !text.includes('g['))
          .join('\n')}
      }
    }
    @compute @workgroup_size(1) fn copy() {
      y.count = x.count;
      for (var i = 0u; i < arrayLength(&x.cells); i++) {
        let j = x.cells[i].j;
        y.cells[i].b = x.cells[i].b;
        y.cells[i].f = x.cells[i].f;
        y.cells[i].h = x.cells[i].h;
        y.cells[i].j = j;
        y.cells[i].e = -x.cells[i].e;
      }
    }`;
  const [outer] = new WgslReflect(source).storage;
  const { members } = outer.type as unknown as { members: readonly Member[] };
  const cells = members[1] as unknown as {
    readonly offset: number;
    readonly type: { readonly stride: number; readonly format: { readonly members: readonly Member[] } };
  };
  const { stride } = cells.type;
  const bytes = cells.offset + 3 * stride;
  const wasm = wasmOf(source);
  const y = new Uint32Array(bytes / 4);
  wasm.run('store', { buffers: { y } });
  const view = new DataView(y.buffer);
  const expected = new DataView(new ArrayBuffer(bytes));
  expected.setUint32(0, 7, true);
  const inside = cells.type.format.members;
  for (let i = 0; i < 3; i++) {
    paths.forEach((path, k) => {
      if (path.includes('[')) return;
      const at = cells.offset + i * stride + offsetOf(inside, path);
      if (typeOf[path] === 'f32') expected.setFloat32(at, k + 1 + 100 * i, true);
      else expected.setUint32(at, k + 1 + 100 * i, true);
    });
  }
  assert.equal([...y], [...new Uint32Array(expected.buffer)]);
  assert.is(view.getUint32(0, true), 7);
  assert.equal(
    [
      stride,
      cells.offset,
      ...['b.x', 'd.x', 'e', 'f.a.x', 'f.c', 'g', 'h.b.x', 'i.a', 'j.x'].map((path) =>
        offsetOf(inside, path),
      ),
    ],
    [224, 32, 16, 32, 48, 56, 80, 88, 144, 160, 192],
  );

  const x = Uint32Array.from(y, (_, i) => i + 1);
  const z = new Uint32Array(x.length);
  wasm.run('copy', { buffers: { x, y: z } });
  const copied = new Set([0]);
  for (let i = 0; i < 3; i++) {
    const base = cells.offset + i * stride;
    for (const path of [
      'b.x',
      'b.y',
      'b.z',
      'f.a.x',
      'f.a.y',
      'f.b',
      'f.c',
      'h.a',
      'h.b.x',
      'h.b.y',
      'h.b.z',
      'j.x',
      'j.y',
      'j.z',
      'j.w',
      'e',
    ])
      copied.add((base + offsetOf(inside, path)) / 4);
  }
  const negated = [0, 1, 2].map((i) => (cells.offset + i * stride + offsetOf(inside, 'e')) / 4);
  assert.equal(
    [...z],
    [...x].map((word, i) => (negated.includes(i) ? -word >>> 0 : copied.has(i) ? word : 0)),
  );
});

layout('of arrays of vectors and structs in a struct of one buffer', () => {
  const source = `struct State { count: u32, factor: f32, list: array<u32, 4>, rows: array<vec4f> }
    @group(0) @binding(0) var<storage, read> x: State;
    @group(0) @binding(1) var<storage, read_write> y: array<vec3f>;
    @group(0) @binding(2) var<storage, read_write> z: array<vec2u>;
    @compute @workgroup_size(1) fn main() {
      for (var i = 0u; i < x.count; i++) {
        y[i] = x.rows[i].zyx * x.factor;
        z[i] = vec2u(x.list[i], x.list[2] + arrayLength(&x.rows));
      }
    }`;
  const x = new Float32Array(8 + 12);
  new Uint32Array(x.buffer).set([3]);
  x[1] = 0.5;
  new Uint32Array(x.buffer).set([10, 20, 30, 40], 2);
  x.set(
    Array.from({ length: 12 }, (_, i) => i),
    8,
  );
  const y = new Float32Array(12);
  const z = new Uint32Array(6);
  wasmOf(source).run('main', { buffers: { x, y, z } });
  assert.equal([...y], [1, 0.5, 0, 0, 3, 2.5, 2, 0, 5, 4.5, 4, 0]);
  assert.equal([...z], [10, 33, 20, 33, 30, 33]);
});

layout('arrayLength is what fits', () => {
  const source = `struct Cell { a: vec3u, b: u32, c: u32 }
    struct Headed { head: u32, cells: array<Cell> }
    @group(0) @binding(0) var<storage, read> a: array<u32>;
    @group(0) @binding(1) var<storage, read> b: array<vec4f>;
    @group(0) @binding(2) var<storage, read> c: Headed;
    @group(0) @binding(3) var<storage, read> d: array<vec3f>;
    @group(0) @binding(4) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn main() {
      y[0] = arrayLength(&a); y[1] = arrayLength(&b); y[2] = arrayLength(&c.cells); y[3] = arrayLength(&d); y[4] = arrayLength(&y);
    }`;
  const words = (n: number) => new Uint32Array(n);
  const y = words(5);
  wasmOf(source).run('main', {
    buffers: { a: words(7), b: words(12), c: words(4 + 8 * 3), d: words(20), y },
  });
  assert.equal([...y], [7, 3, 3, 5, 5]);
});

layout('of dims: numbers in the record', () => {
  const source = `struct Dims { a: u32, rate: f32, @align(16) b: u32, c: f32, d: u32 }
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() {
      y[dims.a] = dims.rate * 2.0; y[dims.b] = dims.c; y[dims.d] = f32(dims.a + dims.b);
    }`;
  const y = new Float32Array(4);
  wasmOf(source).run('main', { buffers: { y }, dims: { a: 1, rate: 1.25, b: 2, c: -3, d: 3 } });
  assert.equal([...y], [0, 2.5, -3, 3]);
});

layout.run();
