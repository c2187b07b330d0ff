import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPrograms, wasmOf } from '../support/wasm.js';

/** Numbers of rounds: none, one, and on both sides of the copies in one turn. */
const counts = [0, 1, 2, 7, 8, 9, 16, 17];

const rounds = suite('rounds of straight loops');

rounds('find what their counter and what does not change lead to', () => {
  const each = (value: (i: number, x: readonly number[]) => number) => (x: readonly number[]) =>
    Array.from({ length: x[0] }, (_, i) => value(i, x));
  const nine = Array.from({ length: 9 }, (_, k) => k);
  checkPrograms(
    [
      {
        text: 'let a = x[1]; for (var i = 0u; i < x[0]; i++) { y[i] = x[i + a] + x[i + 2u] * 100u; }',
        y: each((i, x) => x[i + 1] + 100 * x[i + 2]),
      },
      {
        text: 'for (var k = 0u; k < 2u; k++) { let a = 9u * k; for (var i = 0u; i < x[0] / 2u; i++) { y[a + i] = x[2u * i + k]; } }',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          for (const k of [0, 1]) for (let i = 0; i < x[0] >> 1; i++) y[9 * k + i] = x[2 * i + k];
          return y;
        },
      },
      {
        text: `for (var i = 0u; i < x[0]; i++) { ${nine.map((k) => `let a${k} = ${k}u * x[1];`).join(' ')} y[i] = ${nine.map((k) => `x[i + a${k}]`).join(' + ')}; }`,
        y: each((i, x) => nine.reduce((sum, k) => sum + x[i + k], 0)),
      },
      {
        text: `${nine.map((k) => `let a${k} = ${k}u * x[1];`).join(' ')} for (var i = 0u; i < x[0]; i++) { y[i] = ${nine.map((k) => `x[i + a${k}]`).join(' + ')}; }`,
        y: each((i, x) => nine.reduce((sum, k) => sum + x[i + k], 0)),
      },
      {
        text: 'for (var i = x[0]; i < 2u * x[0]; i += 2u) { y[i - x[0]] = x[i - x[0]] + x[3u * x[0] - i]; y[i + 1u - x[0]] += 5u; }',
        y: (x) => {
          const y = new Array<number>(20).fill(0);
          for (let i = 0; i < x[0]; i += 2) [y[i], y[i + 1]] = [x[i] + x[2 * x[0] - i], 5];
          return y;
        },
      },
      {
        text: 'for (var i = -2; i < i32(x[0]) - 2; i++) { y[u32(i + 2)] = x[u32(i + 3)]; }',
        y: each((i, x) => x[i + 1]),
      },
    ],
    counts.map((n) => [n, 1, ...Array.from({ length: 40 }, (_, i) => 7 * i + 2)]),
  );
});

rounds('that hold more than there are registers compute the same', () => {
  const rows = [0, 1, 2, 3, 4, 5, 6];
  const source = `struct Dims { n: u32 }
    struct Sums { ${rows.map((r) => `a${r}: vec4f, b${r}: vec4f,`).join(' ')} }
    @group(0) @binding(0) var<uniform> dims: Dims;
    @group(0) @binding(1) var<storage, read> g: array<f32>;
    @group(0) @binding(2) var<storage, read> p: array<vec4f>;
    @group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
    fn one(k: u32) -> vec4f { return vec4f(g[7u * k]); }
    @compute @workgroup_size(1) fn main() {
      var t = Sums();
      for (var k = 0u; k < dims.n; k++) {
        let left = p[2u * k];
        let right = p[2u * k + 1u];
        ${rows.map((r) => `let g${r} = ${r === 0 ? 'one(k)' : `vec4f(g[7u * k + ${r}u])`}; t.a${r} += g${r} * left; t.b${r} += g${r} * right;`).join('\n')}
      }
      ${rows.map((r) => `y[${2 * r}] = t.a${r}; y[${2 * r + 1}] = t.b${r};`).join(' ')}
    }`;
  const wasm = wasmOf(source);
  for (const n of [...counts, 60]) {
    const g = Float32Array.from({ length: 7 * 60 }, (_, i) => (i * i) % 19);
    const p = Float32Array.from({ length: 8 * 60 }, (_, i) => (i * i) % 23);
    const y = new Float32Array(56);
    wasm.run('main', { buffers: { g, p, y }, dims: { n } });
    const wanted = Array.from(y, (_, i) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += g[7 * k + Math.floor(i / 8)] * p[8 * k + (i % 8)];
      return sum;
    });
    assert.equal([...y], wanted);
  }
});

rounds.run();
