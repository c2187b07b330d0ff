import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wasmOf, type Words } from '../support/wasm.js';

type Of = 'f32' | 'u32' | 'i32';

/** An expression of a and b, numbers or vectors of one type, and what it is for each component. */
interface Row {
  readonly text: string;
  readonly on: readonly Of[];
  readonly exact: (a: number, b: number, of: Of) => number;
  /** Of the result; that of a and b if absent, 'bool' for a mask. */
  readonly to?: Of | 'bool';
  /** Widths for which the subset has it; all if absent. */
  readonly widths?: readonly number[];
}

const all: readonly Of[] = ['f32', 'u32', 'i32'];
const whole: readonly Of[] = ['u32', 'i32'];
const short = [1, 2, 3];

const wrap = (of: Of, value: number) =>
  of === 'f32' ? Math.fround(value) : of === 'u32' ? value >>> 0 : value | 0;
const bits = new DataView(new ArrayBuffer(4));
const bitsOf = (of: Of, value: number) => {
  if (of === 'f32') bits.setFloat32(0, value);
  else bits.setUint32(0, value);
  return bits.getUint32(0);
};
const fromBits = (value: number) => {
  bits.setUint32(0, value);
  return bits.getFloat32(0);
};
/** A float as a whole number: cut, and held within its bounds; NaN is 0. */
const saturated = (low: number, high: number) => (a: number) =>
  Number.isNaN(a) ? 0 : Math.min(high, Math.max(low, Math.trunc(a)));
const nearest = (a: number) => {
  const down = Math.floor(a);
  if (a - down !== 0.5) return a - down < 0.5 ? down : Math.ceil(a);
  return down % 2 === 0 ? down : Math.ceil(a);
};

const compare = (text: string, exact: (a: number, b: number) => boolean): Row => ({
  text,
  on: all,
  exact: (a, b) => Number(exact(a, b)),
  to: 'bool',
});

const rows: readonly Row[] = [
  { text: 'a + b', on: all, exact: (a, b) => a + b },
  { text: 'a - b', on: all, exact: (a, b) => a - b },
  { text: 'a * b', on: all, exact: (a, b, of) => (of === 'f32' ? a * b : Math.imul(a, b)) },
  { text: 'a / b', on: ['f32'], exact: (a, b) => a / b },
  {
    text: 'a / ((b & T(255)) | T(1))',
    on: whole,
    exact: (a, b) => Math.trunc(a / ((b & 255) | 1)),
    widths: short,
  },
  { text: 'a % ((b & T(255)) | T(1))', on: whole, exact: (a, b) => a % ((b & 255) | 1), widths: short },
  { text: '-a', on: ['f32', 'i32'], exact: (a) => -a },
  { text: '~a', on: whole, exact: (a) => ~a },
  { text: 'a & b', on: whole, exact: (a, b) => a & b },
  { text: 'a | b', on: whole, exact: (a, b) => a | b },
  { text: 'a ^ b', on: whole, exact: (a, b) => a ^ b },
  { text: 'a << U(5)', on: whole, exact: (a) => a << 5 },
  { text: 'a >> U(5)', on: ['u32'], exact: (a) => a >>> 5 },
  { text: 'a >> U(5)', on: ['i32'], exact: (a) => a >> 5 },
  { text: 'a << (U(b) & U(31))', on: whole, exact: (a, b) => a << (b & 31), widths: short },
  { text: 'a >> (U(b) & U(31))', on: ['u32'], exact: (a, b) => a >>> (b & 31), widths: short },
  { text: 'a >> (U(b) & U(31))', on: ['i32'], exact: (a, b) => a >> (b & 31), widths: short },
  { text: 'a << U(31)', on: whole, exact: (a) => a << 31 },
  compare('a == b', (a, b) => a === b),
  compare('a != b', (a, b) => a !== b),
  compare('a < b', (a, b) => a < b),
  compare('a <= b', (a, b) => a <= b),
  compare('a > b', (a, b) => a > b),
  compare('a >= b', (a, b) => a >= b),
  { ...compare('(a < b) & (a == a)', (a, b) => a < b), on: all },
  { ...compare('(a < b) | (b < a)', (a, b) => a < b || b < a), on: all },
  { ...compare('(a < b) == (b < a)', (a, b) => a < b === b < a), on: all },
  { ...compare('!(a < b)', (a, b) => !(a < b)), on: all },
  { text: 'select(a, b, a < b)', on: all, exact: (a, b) => (a < b ? b : a) },
  { text: 'min(a, b)', on: all, exact: (a, b) => (b < a ? b : a) },
  { text: 'max(a, b)', on: all, exact: (a, b) => (a < b ? b : a) },
  { text: 'max(a, T(0))', on: ['f32'], exact: (a) => (a < 0 ? 0 : a) },
  {
    text: 'clamp(a, T(3), T(100))',
    on: all,
    exact: (a) => (a < 3 ? 3 : a > 100 ? 100 : a),
  },
  { text: 'saturate(a)', on: ['f32'], exact: (a) => (a < 0 ? 0 : a > 1 ? 1 : a) },
  { text: 'abs(a)', on: ['f32', 'u32'], exact: (a) => Math.abs(a) },
  { text: 'sqrt(a)', on: ['f32'], exact: (a) => Math.sqrt(a) },
  { text: 'floor(a)', on: ['f32'], exact: (a) => Math.floor(a) },
  { text: 'ceil(a)', on: ['f32'], exact: (a) => Math.ceil(a) },
  { text: 'trunc(a)', on: ['f32'], exact: (a) => Math.trunc(a) },
  { text: 'round(a / T(2))', on: ['f32'], exact: (a) => nearest(a / 2) },
  { text: 'step(a, b)', on: ['f32'], exact: (a, b) => Number(a <= b) },
  { text: 'fma(a, b, T(0.5))', on: ['f32'], exact: (a, b) => Math.fround(a * b) + 0.5 },
  {
    text: 'mix(a, b, T(0.25))',
    on: ['f32'],
    exact: (a, b) => Math.fround(a * 0.75) + Math.fround(b * 0.25),
  },
  { text: 'F(a)', on: whole, exact: (a) => a, to: 'f32' },
  { text: 'U(a)', on: ['f32'], exact: saturated(0, 4294967295), to: 'u32' },
  { text: 'I(a)', on: ['f32'], exact: saturated(-2147483648, 2147483647), to: 'i32' },
  { text: 'I(a)', on: ['u32'], exact: (a) => a, to: 'i32' },
  { text: 'U(a)', on: ['i32'], exact: (a) => a, to: 'u32' },
  { text: 'B(a)', on: all, exact: (a) => Number(a !== 0), to: 'bool' },
  { text: 'T(a < b)', on: all, exact: (a, b) => Number(a < b) },
  {
    text: 'bitcast<U>(a)',
    on: ['f32', 'i32'],
    exact: (a, _, of) => bitsOf(of, a),
    to: 'u32',
    widths: [1, 4],
  },
  {
    text: 'bitcast<I>(a)',
    on: ['f32', 'u32'],
    exact: (a, _, of) => bitsOf(of, a),
    to: 'i32',
    widths: [1, 4],
  },
  { text: 'bitcast<F>(a)', on: whole, exact: (a) => fromBits(a), to: 'f32', widths: [1, 4] },
  // Precedence and grouping.
  { text: 'a - b - a', on: whole, exact: (a, b) => a - b - a },
  { text: 'a - (b - a)', on: whole, exact: (a, b) => a - (b - a) },
  { text: 'a + b * T(3)', on: whole, exact: (a, b) => a + Math.imul(b, 3) },
  { text: 'T(7) * a - T(3) * (b - a)', on: whole, exact: (a, b) => Math.imul(7, a) - Math.imul(3, b - a) },
  { text: '(a & b) + (a | b)', on: whole, exact: (a, b) => a + b },
  { text: '-a * b', on: ['i32'], exact: (a, b) => Math.imul(-a, b) },
  { text: 'a - -b', on: ['i32', 'f32'], exact: (a, b) => a + b },
  { text: 'T(8) / T(2) / T(2) + a', on: all, exact: (a) => 2 + a, widths: short },
  { text: 'a + b / T(0.5)', on: ['f32'], exact: (a, b) => a + Math.fround(b / 0.5) },
];

const scalarRows: readonly Row[] = [
  // Literals beside numbers, and constants that are known beforehand.
  { text: 'a + 4294967295u', on: ['u32'], exact: (a) => a - 1 },
  { text: 'a * 0x9e3779b9u', on: ['u32'], exact: (a) => Math.imul(a, 0x9e3779b9) },
  { text: 'a + (1 << 4)', on: whole, exact: (a) => a + 16 },
  { text: 'a + (7 % 4)', on: whole, exact: (a) => a + 3 },
  { text: 'a ^ ~0', on: whole, exact: (a) => ~a },
  { text: 'a + -7 / 2', on: ['i32'], exact: (a) => a - 3 },
  { text: 'a + (-7 >> 1u)', on: ['i32'], exact: (a) => a - 4 },
  { text: 'a + 2 * seven - three', on: whole, exact: (a) => a + 11 },
  { text: 'a * T(seven % three)', on: whole, exact: (a) => a },
  { text: 'a + (0xffffffffu * 0xffffffffu + 1u)', on: ['u32'], exact: (a) => a + 2 },
  { text: 'a + (0xffffffffu >> 28u)', on: ['u32'], exact: (a) => a + 15 },
  { text: 'a + u32(-i32(3))', on: ['u32'], exact: (a) => a - 3 },
  {
    text: 'a * 2 + 1',
    on: all,
    exact: (a, _, of) => (of === 'f32' ? Math.fround(a * 2) + 1 : Math.imul(a, 2) + 1),
  },
  { text: '1.5 - a', on: ['f32'], exact: (a) => 1.5 - a },
  { text: 'select(a, -a, bool(5))', on: ['f32', 'i32'], exact: (a) => -a },
  {
    text: 'a < b && b != 3 || a > b',
    on: all,
    exact: (a, b) => Number((a < b && b !== 3) || a > b),
    to: 'bool',
  },
  { text: '!(a < b) && !(b < a)', on: all, exact: (a, b) => Number(!(a < b) && !(b < a)), to: 'bool' },
];

const vectorRows: readonly Row[] = [
  // A number beside a vector counts for every component.
  { text: 'a + a.y * T(0) + b', on: whole, exact: (a, b) => a + b },
  { text: 'a * 3', on: whole, exact: (a) => Math.imul(a, 3) },
  { text: '2.5 * a', on: ['f32'], exact: (a) => 2.5 * a },
  { text: '1 - a', on: all, exact: (a) => 1 - a },
  { text: 'max(a, T(2)) - T(1)', on: all, exact: (a) => (a < 2 ? 2 : a) - 1 },
  { text: 'select(a, b, k < 1000)', on: all, exact: (_, b) => b },
];

const special: Readonly<Record<Of, readonly number[]>> = {
  f32: [
    0,
    -0,
    1,
    -1,
    0.5,
    2.5,
    3,
    -3.5,
    1e-40,
    3e9,
    -3e9,
    5e9,
    1e38,
    3e38,
    16777217,
    Infinity,
    -Infinity,
    NaN,
  ],
  u32: [
    0, 1, 2, 3, 5, 31, 32, 99, 101, 65535, 65536, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xfffffffe, 0xffffffff,
  ],
  i32: [0, 1, -1, 2, -2, 3, -7, 31, 32, 99, 101, -65536, 0x7fffffff, -0x7fffffff, -0x80000000, 0x12345678],
};

const arrays = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };
const typeName = (of: Of | 'bool', width: number) => {
  if (width === 1) return of;
  return of === 'bool' ? `vec${width}<bool>` : `vec${width}${of[0]}`;
};

/** Every pair of special values, laid out in vectors of `stride` words. */
function pairsOf(of: Of): [number[], number[]] {
  const list = special[of].flatMap((a) => special[of].map((b) => [wrap(of, a), wrap(of, b)]));
  while (list.length % 12 !== 0) list.push([special[of][3], special[of][4]]);
  return [list.map(([a]) => a), list.map(([, b]) => b)];
}

/** Vectors of three stand four words apart. */
function spread(values: readonly number[], of: Of, width: number): Words {
  const stride = width === 3 ? 4 : width;
  const words = new arrays[of]((values.length / width) * stride);
  values.forEach((value, i) => (words[Math.floor(i / width) * stride + (i % width)] = value));
  return words;
}

function shader(of: Of, width: number, chosen: readonly Row[]): string {
  const type = typeName(of, width);
  const outputs = all.map(
    (to) => `@group(0) @binding(2) var<storage, read_write> z_${to}: array<${typeName(to, width)}>;`,
  );
  const entries = chosen.map(({ text, to = of }, i) => {
    const expression = text
      .replace(/\bT\b/g, type)
      .replace(/\b([UIFB])\b/g, (_, one: 'U' | 'I' | 'F' | 'B') =>
        typeName(({ U: 'u32', I: 'i32', F: 'f32', B: 'bool' } as const)[one], width),
      );
    const result = to === 'bool' ? `${typeName('u32', width)}(${expression})` : expression;
    const target = to === 'bool' ? 'u32' : to;
    return `@compute @workgroup_size(1) fn row${i}(@builtin(workgroup_id) at: vec3u) {
      let k = at.x;
      let a = x[k];
      let b = y[k];
      z_${target}[k] = ${result};
    }`;
  });
  return `const seven = 7;
    const three = 3;
    @group(0) @binding(0) var<storage, read> x: array<${type}>;
    @group(0) @binding(1) var<storage, read> y: array<${type}>;
    ${[...outputs, ...entries].join('\n')}`;
}

const operators = suite('operators');

for (const of of all) {
  for (const width of [1, 2, 3, 4]) {
    const beside = width === 1 ? scalarRows : vectorRows;
    const chosen = [...rows, ...beside].filter(
      (row) => row.on.includes(of) && (row.widths?.includes(width) ?? true),
    );
    operators(`${typeName(of, width)}: ${chosen.length} expressions are what WGSL says`, () => {
      const wasm = wasmOf(shader(of, width, chosen));
      const [a, b] = pairsOf(of);
      chosen.forEach(({ text, exact, to = of }, i) => {
        const target = to === 'bool' ? 'u32' : to;
        const z = spread(new Array<number>(a.length).fill(0), target, width);
        const buffers = { x: spread(a, of, width), y: spread(b, of, width), [`z_${target}`]: z };
        wasm.run(`row${i}`, { buffers, groups: [a.length / width, 1, 1] });
        const expected = spread(
          a.map((one, k) => wrap(target, exact(one, b[k], of))),
          target,
          width,
        );
        const other = expected.findIndex((value, k) => !Object.is(value, z[k]));
        const at = Math.floor(other / (z.length / (a.length / width))) * width;
        assert.is(
          other,
          -1,
          `${text} of a = ${a[at]} …, b = ${b[at]} …: ${z[other]}, expected ${expected[other]}`,
        );
      });
    });
  }
}

operators.run();
