import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OutsideIndex, checkPrograms, importsOf, wasmOf } from '../support/wasm.js';

const inputs = [
  [3, 1, 2, 0, 4, 5, 6, 7],
  [0, 2, 1, 3, 7, 6, 5, 4],
];

const memory = suite('loads and stores');

memory('happen in the order of the statements', () => {
  const fill = 'for (var k = 0u; k < 8u; k++) { y[k] = x[k]; }';
  const program = (text: string, change: (y: number[]) => void) => ({
    text: `${fill} ${text}`,
    y: (x: readonly number[]) => {
      const y = [...x, ...new Array<number>(12).fill(0)];
      change(y);
      return y;
    },
  });
  checkPrograms(
    [
      program('for (var i = 0u; i < 7u; i++) { y[i] = y[i + 1u]; }', (y) => {
        for (let i = 0; i < 7; i++) y[i] = y[i + 1];
      }),
      program('for (var i = 1u; i < 8u; i++) { y[i] = y[i - 1u] + 1u; }', (y) => {
        for (let i = 1; i < 8; i++) y[i] = y[i - 1] + 1;
      }),
      program('for (var i = 7u; i > 0u; i--) { y[i] = y[i - 1u]; }', (y) => {
        for (let i = 7; i > 0; i--) y[i] = y[i - 1];
      }),
      program('let a = y[0]; y[0] = y[1]; y[1] = a; let b = y[2]; y[2] = 50u; y[3] = b + y[2];', (y) => {
        [y[0], y[1], y[3], y[2]] = [y[1], y[0], y[2] + 50, 50];
      }),
      program('y[y[0]] = 9u; y[y[0]] += 1u; y[y[1] & 7u] = y[y[2] & 7u];', (y) => {
        y[y[0]] = 9;
        y[y[0]]++;
        y[y[1] & 7] = y[y[2] & 7];
      }),
      program(
        'var total = 0u; for (var i = 0u; i < 8u; i++) { total += y[0]; y[0] = total; } y[1] = total;',
        (y) => {
          let total = 0;
          for (let i = 0; i < 8; i++) y[0] = total = (total + y[0]) >>> 0;
          y[1] = total;
        },
      ),
    ],
    inputs,
  );
});

memory('are where an index says, however it is written', () => {
  checkPrograms(
    [
      {
        text: 'let i = x[0]; y[i + 2u] = 5u; y[i + 2u + 3u] = x[i + 1u]; y[2u + i - 1u] = 7u; y[i * 2u + 1u] += 1u;',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          const i = x[0];
          y[i + 2] = 5;
          y[i + 5] = x[i + 1];
          y[i + 1] = 7;
          y[2 * i + 1]++;
          return y;
        },
      },
      {
        text: 'let i = x[0] + 4u; y[i - 4u] = 1u; y[i - 3u + 2u] = 2u; y[(i - 4u) * 2u + 8u] = x[i - 4u]; y[i + 0xffffffffu] += 3u;',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          const i = x[0] + 4;
          y[i - 4] = 1;
          y[i - 1] = 2;
          y[(i - 4) * 2 + 8] = x[i - 4];
          y[i - 1] += 3;
          return y;
        },
      },
      {
        text: 'let i = i32(x[0]) - 4; y[i + 4] = 1u; y[u32(i + 5)] = 2u; y[9 - i] = 3u; for (var k = -2; k < 2; k++) { y[k + 16] = x[k + 2]; }',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          const i = x[0] - 4;
          y[i + 4] = 1;
          y[i + 5] = 2;
          y[9 - i] = 3;
          for (let k = -2; k < 2; k++) y[k + 16] = x[k + 2];
          return y;
        },
      },
      {
        text: 'for (var r = 0u; r < 3u; r++) { for (var c = 0u; c < x[4]; c++) { y[r * x[4] + c] = x[(r + c) % 8u] + (r << 4u); } }',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          for (let r = 0; r < 3; r++)
            for (let c = 0; c < x[4]; c++) y[r * x[4] + c] = x[(r + c) % 8] + 16 * r;
          return y.slice(0, 20);
        },
      },
      {
        text: 'var j = x[0] - 9u; y[j + 9u] = 4u; j += 1u; y[j + 9u] = 6u; y[(j + 12u) / 2u] += 10u;',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          y[x[0]] = 4;
          y[x[0] + 1] = 6;
          y[Math.floor((x[0] + 4) / 2)] += 10;
          return y;
        },
      },
    ],
    [
      [3, 1, 2, 0, 4, 5, 6, 7],
      [0, 2, 1, 3, 6, 6, 5, 4],
    ],
  );
});

memory('of one component leave the others alone', () => {
  const source = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
    @group(0) @binding(2) var<storage, read_write> z: array<vec2f>;
    @compute @workgroup_size(1) fn main() {
      let k = u32(x[0].x);
      y[k].z = x[1].w; y[k].w += 10.0; y[0][1] = x[0][k]; y[k].r = x[1].g; y[k] = y[k] * 2.0; y[k][0]++;
      z[k].y = x[k].xy.y; z[k] += x[0].xx; z[0].x = dot(x[0], x[1]);
    }`;
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const y = Float32Array.of(1, 1, 1, 1, 2, 2, 2, 2);
  const z = new Float32Array(4);
  wasmOf(source).run('main', { buffers: { x, y, z } });
  assert.equal([...y], [1, 2, 1, 1, 13, 4, 16, 24]);
  assert.equal([...z], [70, 0, 1, 7]);
});

memory('of four floats may be one, if they stand and follow one behind the other', () => {
  const source = (text: string) => `@group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    fn put(at: u32, v: vec4f) { y[at] = v.x; y[at + 1u] = v.y; y[at + 2u] = v.z; y[at + 3u] = v.w; }
    @compute @workgroup_size(1) fn main() {
      let i = u32(x[1]);
      let v = vec4f(x[i], x[i + 1u], x[i + 2u], x[i + 3u]);
      let w = v + 10.0;
      ${text}
    }`;
  const programs: readonly (readonly [text: string, y: readonly number[]])[] = [
    ['put(i + 1u, v);', [0, 0, 1, 2, 3, 4]],
    ['put(0u, v); put(2u, w); put(3u, v);', [1, 2, 11, 1, 2, 3, 4]],
    ['y[0] = v.y; y[1] = v.x; y[2] = v.z; y[3] = v.w;', [2, 1, 3, 4]],
    ['y[0] = v.x; y[1] = v.y; y[2] = w.z; y[3] = v.w;', [1, 2, 13, 4]],
    ['y[0] = v.x; y[1] = v.y; y[3] = v.z; y[4] = v.w;', [1, 2, 0, 3, 4]],
    ['y[0] = v.x; y[1] = v.y; if (i == 1u) { y[2] = v.z; } y[3] = v.w;', [1, 2, 3, 4]],
    ['y[0] = v.x; y[1] = v.y; y[2] = v.z; y[5] = y[2]; y[3] = v.w;', [1, 2, 3, 4, 0, 3]],
    ['y[3] = v.x; y[0] = v.x; y[1] = v.y; y[2] = v.z; y[3] = v.w;', [1, 2, 3, 4]],
    ['let u = vec4f(x[i], x[i + 2u], x[i + 1u], x[i + 3u]); put(0u, u);', [1, 3, 2, 4]],
    ['let u = vec4f(x[i], x[i + 1u], x[i + 2u], 5.0); put(0u, u);', [1, 2, 3, 5]],
    ['put(0u, v); let u = vec4f(y[1], y[2], y[3], y[4]); put(2u, u);', [1, 2, 2, 3, 4]],
  ];
  for (const [text, wanted] of programs) {
    const y = new Float32Array(8);
    wasmOf(source(text)).run('main', { buffers: { x: Float32Array.of(0, 1, 2, 3, 4, 5), y } });
    assert.equal([...y], [...wanted, ...new Array<number>(8 - wanted.length).fill(0)], text);
  }
});

memory('of a component chosen while running look at its index once', () => {
  const source = `@group(0) @binding(0) var<storage, read> x: array<vec4u>;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    fn next() -> u32 { y[3] += 1u; return y[3]; }
    @compute @workgroup_size(1) fn main() { y[0] = x[0][next()]; y[1] = x[next() - 1u][next() % 4u]; }`;
  const y = new Uint32Array(4);
  wasmOf(source).run('main', { buffers: { x: Uint32Array.from({ length: 8 }, (_, i) => i * i), y } });
  assert.equal([...y], [1, 49, 0, 3]);
});

memory('of what nothing writes may stand before a loop, of what is written not', () => {
  const source = `struct State { step: u32, cursor: u32 }
    struct Dims { n: u32 }
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read> state: State;
    @group(0) @binding(2) var<storage, read_write> other: State;
    @group(0) @binding(3) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn main() {
      for (var i = 0u; i < dims.n; i++) {
        y[i] = state.cursor * 100u + other.cursor;
        other.cursor += state.step;
      }
    }`;
  const y = new Uint32Array(5);
  const other = Uint32Array.of(0, 1);
  wasmOf(source).run('main', { buffers: { state: Uint32Array.of(2, 3), other, y }, dims: { n: 5 } });
  assert.equal([...y, ...other], [301, 303, 305, 307, 309, 0, 11]);
});

memory('of an override are those of the member of dims with its name', () => {
  const wasm = wasmOf(`struct Dims { n: u32, width: u32 }
    override width: u32;
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn main() {
      for (var i = 0u; i < dims.n; i++) { y[i] = i / width * 100u + i % width; }
    }`);
  for (const width of [1, 3, 4]) {
    const y = new Uint32Array(8);
    wasm.run('main', { buffers: { y }, dims: { n: 8, width } });
    assert.equal(
      [...y],
      Array.from(y, (_, i) => Math.floor(i / width) * 100 + (i % width)),
    );
  }
});

const checks = suite('checked kernels');

const stepping = `struct Fixed { n: u32, list: array<u32, 3>, rest: array<vec4f> }
  @group(0) @binding(2) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<storage, read> x4: array<vec4f>;
  @group(0) @binding(5) var<storage, read_write> y: array<u32>;
  @group(0) @binding(6) var<storage, read_write> fixed: Fixed;
  @compute @workgroup_size(1) fn load() { let i = y[0]; y[1] = 1u; y[2] = u32(x[i]); }
  @compute @workgroup_size(1) fn load4() { let i = y[0]; y[1] = 1u; y[2] = u32(x4[i].y); }
  @compute @workgroup_size(1) fn store() { let i = y[0]; y[1] = 1u; y[i] = 5u; }
  @compute @workgroup_size(1) fn add() { let i = y[0]; y[1] = 1u; y[i] += 5u; }
  @compute @workgroup_size(1) fn listed() { let i = y[0]; y[1] = 1u; fixed.list[i] = 1u; }
  @compute @workgroup_size(1) fn rest() { let i = y[0]; y[1] = 1u; fixed.rest[i].w = 1.0; }
  @compute @workgroup_size(1) fn before() { let i = y[0]; y[1] = 1u; y[2] = u32(x[i - 4u]); }
  @compute @workgroup_size(1) fn looped() { y[1] = 1u; for (var i = 0u; i < y[0]; i++) { y[2] += u32(x[i]); } }`;

/** Elements that an entry may name: the length of what it indexes. */
const lengths: Readonly<Record<string, readonly [number, number, number]>> = {
  load: [2, 8, 0],
  load4: [2, 2, 0],
  store: [5, 16, 0],
  add: [5, 16, 0],
  listed: [6, 3, 0],
  rest: [6, 2, 0],
  before: [2, 8, -4],
  looped: [2, 8, -1],
};

checks('call fail with the binding and the index, before anything is read or written there', () => {
  const checked = wasmOf(stepping, { checked: true });
  for (const [entry, [binding, length, shift]] of Object.entries(lengths)) {
    const run = (index: number) => {
      const y = new Uint32Array(16);
      y[0] = index - shift;
      const all: Record<string, Float32Array | Uint32Array> = {
        x: new Float32Array(8),
        y,
        fixed: new Uint32Array(12),
      };
      all.x4 = all.x;
      const buffers = Object.fromEntries(checked.kernels[entry].storage.map(({ name }) => [name, all[name]]));
      checked.run(entry, { buffers });
    };
    run(length - 1);
    run(0);
    for (const index of entry === 'looped' ? [length] : [length, length + 1, 0xffffffff + shift]) {
      if (index - shift > 0xffffffff) continue;
      assert.throws(
        () => run(index),
        (error: Error) => error instanceof OutsideIndex && error.binding === binding && error.index === index,
        `${entry} of index ${index}`,
      );
    }
  }
});

checks('import fail, which others do not', () => {
  const imports = (checked: boolean) => importsOf(wasmOf(stepping, { checked }).module);
  assert.equal(imports(false), ['env.memory']);
  assert.equal(imports(true), ['env.fail', 'env.memory']);
});

for (const one of [memory, checks]) one.run();
