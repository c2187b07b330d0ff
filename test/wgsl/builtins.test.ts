import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Kernel } from '../../engine/kernel.js';
import { compileShader } from '../../engine/wgsl/compile.js';
import { withScalars } from '../../engine/wgsl/scalar.js';

const builtins = readFileSync(new URL('../../../engine/wgsl/builtins.wgsl', import.meta.url), 'utf8');

interface Row {
  /** The error in units of the last place is below this. */
  readonly ulps: number;
  /** In f64, of arguments in f32. */
  readonly exact: (x: number, y: number) => number;
  /** Beyond this |x| only NaN and the limits ±1 are looked at: all the precision there is in x is not enough. */
  readonly within?: number;
  readonly two?: true;
}

/** exp and exp2 give no denormals, as WGSL allows. */
const flushed = (y: number) => (y < 2 ** -126 ? 0 : y);

/** To the nearest integer, ties to even. */
function nearest(x: number): number {
  const low = Math.floor(x);
  if (x - low === 0.5) return low % 2 === 0 ? low : low + 1;
  return Math.round(x);
}

/** WGSL's pow is exp2(y·log2(x)): of x < 0 it is no number. */
const power = (x: number, y: number) => (x < 0 && y !== 0 ? NaN : Math.abs(x) ** y);

const table: Readonly<Record<string, Row>> = {
  acos: { ulps: 1.1, exact: Math.acos },
  acosh: { ulps: 2.4, exact: Math.acosh },
  asin: { ulps: 2.3, exact: Math.asin },
  asinh: { ulps: 1.7, exact: Math.asinh },
  atan: { ulps: 2.3, exact: Math.atan },
  atan2: { ulps: 2.4, exact: Math.atan2, two: true },
  atanh: { ulps: 2, exact: Math.atanh },
  cos: { ulps: 1.9, exact: Math.cos, within: 12_000 },
  cosh: { ulps: 1.4, exact: Math.cosh },
  exp: { ulps: 1, exact: (x) => flushed(Math.exp(x)) },
  exp2: { ulps: 1.1, exact: (x) => flushed(2 ** x) },
  fract: { ulps: 0.5, exact: (x) => x - Math.floor(x) },
  inverseSqrt: { ulps: 1.5, exact: (x) => 1 / Math.sqrt(x) },
  log: { ulps: 0.9, exact: (x) => Math.log(x) },
  log2: { ulps: 1.8, exact: (x) => Math.log2(x) },
  pow: { ulps: 3.8, exact: power, two: true },
  round: { ulps: 0, exact: nearest },
  sign: { ulps: 0, exact: Math.sign },
  sin: { ulps: 1.9, exact: Math.sin, within: 12_000 },
  sinh: { ulps: 2.2, exact: Math.sinh },
  sqrt: { ulps: 0.5, exact: Math.sqrt },
  tan: { ulps: 3.5, exact: Math.tan, within: 12_000 },
  tanh: { ulps: 2.4, exact: Math.tanh },
};

/** Each builtin as two entries over whole buffers: all_<name>_f32 and all_<name>_vec4. */
function shader(): string {
  const entry = (name: string, width: '' | '4', type: string) => `
    @compute @workgroup_size(64)
    fn all_${name}_${type}(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      for (var i = id.x; i < arrayLength(&z${width}); i += groups.x * 64u) {
        z${width}[i] = ${name}(x${width}[i]${table[name].two ? `, y${width}[i]` : ''});
      }
    }`;
  const buffers = ['read> x', 'read> y', 'read_write> z'].flatMap((buffer, i) => [
    `@group(0) @binding(${i}) var<storage, ${buffer}: array<f32>;`,
    `@group(0) @binding(${i}) var<storage, ${buffer}4: array<vec4f>;`,
  ]);
  const entries = Object.keys(table).flatMap((name) => [entry(name, '', 'f32'), entry(name, '4', 'vec4')]);
  return [...buffers, ...entries].join('\n');
}

type Entry = (record: number, first: number, last: number) => void;

const pages = 200;
const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
const wasm = new WebAssembly.Module(compileShader('table', shader(), { checked: false, builtins }));
const { exports } = new WebAssembly.Instance(wasm, { env: { memory, fail: () => undefined } });

const [section] = WebAssembly.Module.customSections(wasm, 'kernels');
const kernels = JSON.parse(new TextDecoder().decode(section)) as Record<string, Kernel>;

/** What an entry makes of the arguments, of which there are whole vec4s. */
function run(entry: string, x: Float32Array, y: Float32Array): Float32Array {
  const bytes = x.byteLength;
  const at = (variable: string) => 1024 + 'xyz'.indexOf(variable[0]) * bytes;
  const { storage } = kernels[`all_${entry}`];
  const record = [3, 1, 1, 0, ...storage.flatMap(({ name }) => [at(name), bytes])];
  new Uint32Array(memory.buffer).set(record);
  new Float32Array(memory.buffer, at('x')).set(x);
  new Float32Array(memory.buffer, at('y')).set(y);
  (exports[`all_${entry}`] as Entry)(0, 0, 3);
  return new Float32Array(memory.buffer, at('z'), x.length).slice();
}

const f64 = new DataView(new ArrayBuffer(8));

/** Distance of the f32 numbers about `y`; that of the denormals for smaller ones. */
function ulp(y: number): number {
  f64.setFloat64(0, y);
  const exponent = ((f64.getUint32(0) >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.min(Math.max(exponent, -126), 127) - 23);
}

/** An infinity counts as 2¹²⁸, which is what f32 rounds to it. */
const finite = (y: number) => Math.max(-(2 ** 128), Math.min(2 ** 128, y));

function error(got: number, exact: number): number {
  if (Number.isNaN(exact) || Number.isNaN(got))
    return Number.isNaN(exact) === Number.isNaN(got) ? 0 : Infinity;
  if (got === Math.fround(exact)) return 0;
  return Math.abs(finite(got) - finite(exact)) / ulp(exact);
}

const near = [
  0.25,
  0.41421356,
  0.5,
  Math.SQRT1_2,
  1,
  Math.SQRT2,
  2,
  2.4142136,
  9.1,
  87.33654,
  88.72283,
  89.415985,
];
const turns = [1, 2, 3, 4, 5, 100].map((n) => (n * Math.PI) / 4);
const edges = [0, Infinity, 2 ** -126, 2 ** 126, 2 ** 23, 126, 128, 1e9, ...near, ...turns];

/** All bit patterns in steps, and all in the neighbourhoods of what the formulas tell apart; both signs. */
function everywhere(): Float32Array {
  const bits: number[] = [];
  for (let at = 0; at < 2 ** 32; at += 40_009) bits.push(at);
  for (const edge of edges) {
    const [middle] = new Uint32Array(Float32Array.of(edge).buffer);
    for (let at = middle - 200; at <= middle + 200; at++) bits.push(at >>> 0, (at ^ 0x80000000) >>> 0);
  }
  while (bits.length % 4 !== 0) bits.push(0x7fc00000);
  return new Float32Array(Uint32Array.from(bits).buffer);
}

const special = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  0.5,
  3,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  1e-40,
  3e38,
  -3e38,
  1e30,
  1 + 2 ** -23,
  1 - 2 ** -24,
];

/** Pairs of special values, any bits, numbers of both signs about 1, and powers over all the range of results. */
function pairs(): [Float32Array, Float32Array] {
  const list = special.flatMap((x) => special.map((y) => [x, y]));
  let state = 1;
  const bits = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const between = (low: number, high: number) => low + ((high - low) * bits()) / 2 ** 32;
  const any = () => new Float32Array(Uint32Array.of(bits()).buffer)[0];
  for (let i = 0; i < 50_000; i++) {
    const base = Math.exp(between(-10, 10));
    const little = 1 + between(-0.005, 0.005);
    list.push([any(), any()], [between(-5, 5), between(-5, 5)]);
    list.push([base, between(-150, 135) / Math.log2(base)], [little, between(-150, 135) / Math.log2(little)]);
  }
  return [Float32Array.from(list, ([x]) => x), Float32Array.from(list, ([, y]) => y)];
}

const one = everywhere();
const two = pairs();

const builtin = suite('builtins');

for (const [name, { ulps, exact, within = Infinity, ...row }] of Object.entries(table)) {
  const [x, y] = row.two ? two : [one, one];

  builtin(`${name} is within ${ulps} ulp${within < Infinity ? ` for |x| <= ${within}` : ''}`, () => {
    const got = run(`${name}_vec4`, x, y);
    let worst = { ulps: 0, at: 0 };
    for (let i = 0; i < x.length; i++) {
      const beyond = Math.abs(x[i]) > within && Number.isFinite(x[i]);
      const found = beyond ? 0 : error(got[i], exact(x[i], y[i]));
      if (found > worst.ulps) worst = { ulps: found, at: i };
      if (beyond && !(Math.abs(got[i]) <= 1.0000002 || name === 'tan')) worst = { ulps: Infinity, at: i };
    }
    const { at } = worst;
    const where = `${name}(${x[at]}${row.two ? `, ${y[at]}` : ''}) = ${got[at]} is ${worst.ulps} ulp off`;
    assert.ok(worst.ulps <= ulps, where);
  });

  builtin(`${name} of scalars and of vec4s gives the same bits`, () => {
    const [scalar, vector] = [run(`${name}_f32`, x, y), run(`${name}_vec4`, x, y)];
    const other = x.findIndex((_, i) => !Object.is(scalar[i], vector[i]));
    assert.is(other, -1, `${name}(${x[other]}, ${y[other]}): ${scalar[other]} and ${vector[other]}`);
  });
}

/** The function of one or two numbers. */
const call = (name: string, x: number, y = 0) =>
  run(`${name}_vec4`, Float32Array.of(x, x, x, x), Float32Array.of(y, y, y, y))[0];

builtin('exp2 and log2 are exact where they can be', () => {
  for (let n = -149; n < 128; n++) {
    assert.is(call('log2', 2 ** n), n);
    if (n >= -126) assert.is(call('exp2', n), 2 ** n);
  }
});

builtin('end in the limits', () => {
  assert.equal(
    [-Infinity, -88, 0, 88.8, Infinity].map((x) => call('exp', x)),
    [0, 0, 1, Infinity, Infinity],
  );
  assert.equal(
    [-1, 0, -0, 1, Infinity].map((x) => call('log', x)),
    [NaN, -Infinity, -Infinity, 0, Infinity],
  );
  assert.equal(
    [-Infinity, -20, 0, 20, Infinity].map((x) => call('tanh', x)),
    [-1, -1, 0, 1, 1],
  );
  assert.equal(
    [-Infinity, 5e6, Infinity].map((x) => call('sin', x)),
    [NaN, 0, NaN],
  );
  for (const name of Object.keys(table)) assert.ok(Number.isNaN(call(name, NaN, 1)), `${name}(NaN)`);
});

builtin('pow is what its limits say', () => {
  const zero = [2, -2, 0].map((y) => call('pow', 0, y));
  assert.equal(zero, [0, Infinity, 1]);
  const infinite = [2, -1, 0].map((y) => call('pow', Infinity, y));
  assert.equal(infinite, [Infinity, 0, 1]);
  const beyond = [2, 0.5, 1.5, -2].map((x) => call('pow', x, x < 0 ? 2 : Infinity));
  assert.equal(beyond, [Infinity, 0, Infinity, NaN]);
  assert.equal([call('pow', 2, -149), call('pow', 10, 3)], [2 ** -149, 1000]);
});

builtin('are within WGSL’s own limits', () => {
  // WGSL: 2⁻¹¹ in [-π, π] for sin and cos, 2⁻²¹ in [½, 2] for log and log2.
  const angles = one.filter((x) => Math.abs(x) <= Math.PI);
  const numbers = one.filter((x) => x >= 0.5 && x <= 2);
  const worst = (name: string, x: Float32Array) => {
    const whole = x.slice(0, x.length & ~3);
    return run(`${name}_vec4`, whole, whole).reduce(
      (most, y, i) => Math.max(most, Math.abs(y - table[name].exact(whole[i], 0))),
      0,
    );
  };
  for (const name of ['sin', 'cos']) assert.ok(worst(name, angles) < 2 ** -22, name);
  for (const name of ['log', 'log2']) assert.ok(worst(name, numbers) < 2 ** -22, name);
});

builtin.run();

const scalars = suite('withScalars');

scalars('adds a scalar function for each one of vec4s', () => {
  const names = (pattern: RegExp) => [...withScalars(builtins).matchAll(pattern)].map(([, name]) => name);
  assert.equal(names(/^fn (\w+)_f32\(/gm), names(/^fn (\w+)_vec4\(/gm));
});

scalars('replaces the types and the names, and leaves all else', () => {
  const text = `const half = 0.5;

// A comment.
fn f_vec4(x: vec4f, b: vec4<bool>) -> vec4f {
  return select(x, g_vec4(bitcast<vec4f>(vec4i(1) << vec4u(2u))), b);
}
`;
  assert.is(
    withScalars(text),
    `${text}
fn f_f32(x: f32, b: bool) -> f32 {
  return select(x, g_f32(bitcast<f32>(i32(1) << u32(2u))), b);
}
`,
  );
});

scalars.run();
