import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OutsideIndex, checkPrograms, wasmOf } from '../support/wasm.js';

const inputs = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [3, 2, 1, 0, 9, 0, 2, 1],
  [7, 7, 0, 2, 5, 1, 0, 0],
];

const functions = suite('functions');

functions('return from wherever they are', () => {
  checkPrograms(
    [
      { text: 'for (var i = 0u; i < 8u; i++) { y[i] = sign_of(x[i]); }', y: (x) => x.map(signOf) },
      {
        text: 'for (var i = 0u; i < 8u; i++) { y[i] = root(x[i] * 9u); }',
        y: (x) => x.map((n) => Math.floor(Math.sqrt(n * 9))),
      },
      {
        text: 'for (var i = 0u; i < 8u; i++) { y[i] = sign_of(sign_of(x[i]) + root(x[i])); }',
        y: (x) => x.map((n) => signOf(signOf(n) + Math.floor(Math.sqrt(n)))),
      },
      {
        text: 'y[0] = find(3u); y[1] = find(7u); y[2] = find(100u);',
        y: (x) => [3, 7, 100].map((n) => (x.includes(n) ? x.indexOf(n) : 99)),
      },
      { text: 'store_if(x[0] > 2u); y[1] = 5u;', y: (x) => [x[0] > 2 ? 1 : 0, 5] },
      {
        text: 'if (x[0] > 2u) { y[0] = 1u; return; } for (var i = 0u; i < 9u; i++) { if (i == x[1]) { return; } y[i] = 4u; }',
        y: (x) => (x[0] > 2 ? [1] : new Array<number>(Math.min(9, x[1])).fill(4)),
      },
      {
        text: 'let s = split(x[4]); y[0] = s.low; y[1] = s.high.x; y[2] = s.high.y; y[3] = split(x[5] + 10u).high.y;',
        y: (x) => {
          const high = (n: number) => (n > 8 ? 2 : n);
          return [x[4] % 4, x[4], high(x[4]), high(x[5] + 10)];
        },
      },
    ],
    inputs,
    {
      declarations: `fn sign_of(n: u32) -> u32 {
          if (n == 0u) { return 0u; } else if (n < 3u) { return 1u; }
          if (n == 7u) { if (n > 3u) { return 70u; } }
          return 2u;
        }
        fn root(n: u32) -> u32 {
          for (var i = 0u; i < 100u; i++) {
            if ((i + 1u) * (i + 1u) > n) { return i; }
          }
          return 100u;
        }
        fn find(wanted: u32) -> u32 {
          var i = 0u;
          loop {
            if (i == 8u) { break; }
            if (x[i] == wanted) { return i; }
            i++;
          }
          return 99u;
        }
        fn store_if(yes: bool) { if (!yes) { return; } y[0] = 1u; }
        struct Split { low: u32, high: vec2u }
        fn split(n: u32) -> Split {
          var s = Split(n % 4u, vec2u(n));
          if (n > 8u) { s.high.y = 2u; return s; }
          return s;
        }`,
    },
  );
});

const signOf = (n: number) => (n === 0 ? 0 : n < 3 ? 1 : n === 7 ? 70 : 2);

functions('have names, parameters and variables of their own', () => {
  checkPrograms(
    [
      {
        text: 'let n = 5u; var total = 1u; y[0] = sum(x[0], n); y[1] = total; y[2] = n;',
        y: (x) => [x[0] + 15, 1, 5],
      },
      {
        text: 'var v = x[1]; y[0] = twice(v) + v; v = 9u; y[1] = twice(v + 1u); y[2] = twice(twice(x[2]));',
        y: (x) => [3 * x[1], 20, 4 * x[2]],
      },
      {
        text: 'let y_of = vec3u(x[0], x[1], x[2]); y[0] = largest(y_of); y[1] = largest(vec3u(4u));',
        y: (x) => [Math.max(x[0], x[1], x[2]), 4],
      },
      { text: 'y[0] = first(array<u32, 2>(x[3], x[4])); y[1] = literal(3);', y: (x) => [x[3], 8] },
    ],
    inputs,
    {
      declarations: `fn sum(start: u32, n: u32) -> u32 {
          var total = start;
          for (var i = 0u; i < n; i++) { let n = i + 1u; total += n; }
          return total;
        }
        fn twice(n: u32) -> u32 { var v = n; v += n; return v; }
        fn largest(v: vec3u) -> u32 { return max(max(v.x, v.y), v.z); }
        fn first(list: array<u32, 2>) -> u32 { return list[0]; }
        fn literal(n: i32) -> u32 { return u32(n + 5); }`,
    },
  );
});

/** `next()` counts in y[9], and `note(n)` writes n to y at the place that next() gives. */
const counting = `fn next() -> u32 { y[9] += 1u; return y[9]; }
  fn note(n: u32) -> u32 { let at = 9u + next(); y[at] = n; return n; }
  fn put(i: u32, n: u32) -> u32 { y[i] = n; return n; }`;

functions('with side effects run once, from left to right', () => {
  checkPrograms(
    [
      {
        text: 'y[0] = note(1u) + note(2u) * note(3u) - note(x[0]);',
        y: (x) => [(7 - x[0]) >>> 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, x[0]],
      },
      {
        text: 'let v = vec3u(next(), next(), next()); y[0] = v.x; y[1] = v.y; y[2] = v.z;',
        y: () => [1, 2, 3, 0, 0, 0, 0, 0, 0, 3],
      },
      {
        text: 'y[0] = next() * 10u + next(); y[1] = max(next(), next());',
        y: () => [12, 4, 0, 0, 0, 0, 0, 0, 0, 4],
      },
      // What stands to the left is read before, to the right after.
      { text: 'y[0] = 5u; y[1] = y[0] + put(0u, 7u) + y[0];', y: () => [7, 19] },
      {
        text: 'y[0] = 5u; y[1] = max(y[0], put(0u, 1u)); y[2] = vec2u(y[0], put(0u, 8u)).x;',
        y: () => [8, 5, 1],
      },
      {
        text: 'y[0] = 5u; let v = vec4u(y[0], 1u, 2u, 3u).xw * put(0u, 6u); y[1] = v.x; y[2] = v.y;',
        y: () => [6, 30, 18],
      },
      { text: 'y[0] = 2u; y[y[0]] = put(0u, 3u); y[y[0]] += put(0u, 4u);', y: () => [4, 0, 3, 4] },
      {
        text: 'y[0] = 5u; y[0] += put(0u, 7u); y[1] = y[0]; y[put(2u, 3u)] += put(3u, 50u); y[0] -= x[1] * put(0u, 0u);',
        y: () => [12, 12, 3, 50],
      },
      { text: 'y[next() + 1u] += next(); next(); _ = next();', y: () => [0, 0, 2, 0, 0, 0, 0, 0, 0, 4] },
      {
        text: 'var a = array<u32, 3>(1u, 2u, 3u); a[next()] += next(); y[0] = a[1]; y[1] = a[next() - 1u]; y[2] = vec4u(7u, 8u, 9u, 6u)[next() - 1u];',
        y: () => [4, 3, 6, 0, 0, 0, 0, 0, 0, 4],
      },
      { text: 'y[0] = select(next(), next(), next() == 3u);', y: () => [2, 0, 0, 0, 0, 0, 0, 0, 0, 3] },
      { text: 'for (var i = next(); i < 3u + next(); i += next()) { y[0] += i; }', y: () => forWithCalls() },
      {
        text: 'while (next() < 5u) { y[0] += 1u; } if (next() == 6u) { y[1] = 1u; } else if (next() == 7u) { y[1] = 2u; }',
        y: () => [4, 1, 0, 0, 0, 0, 0, 0, 0, 6],
      },
      {
        text: 'if (next() == 6u) { y[1] = 1u; } else if (next() == 2u) { y[1] = 2u; } else { y[1] = next(); }',
        y: () => [0, 2, 0, 0, 0, 0, 0, 0, 0, 2],
      },
    ],
    inputs.slice(0, 2),
    { declarations: counting },
  );
});

/** The loop above in JavaScript. */
function forWithCalls(): number[] {
  let [calls, total] = [0, 0];
  const next = () => ++calls;
  for (let i = next(); i < 3 + next(); i += next()) total += i;
  return [total, 0, 0, 0, 0, 0, 0, 0, 0, calls];
}

functions('the right side of && and || is looked at only if the left does not decide', () => {
  checkPrograms(
    [
      {
        text: 'if (x[0] > 2u && next() > 0u) { y[0] = 1u; }',
        y: (x) => (x[0] > 2 ? [1, 0, 0, 0, 0, 0, 0, 0, 0, 1] : []),
      },
      {
        text: 'if (x[0] > 2u || next() > 1u) { y[0] = 1u; }',
        y: (x) => (x[0] > 2 ? [1] : [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
      },
      {
        text: 'let b = x[0] > 2u && (x[1] > 2u || next() == 1u) && next() < 3u; y[0] = u32(b);',
        y: (x) => (x[0] > 2 ? [1, 0, 0, 0, 0, 0, 0, 0, 0, x[1] > 2 ? 1 : 2] : []),
      },
      {
        text: 'var n = 0u; while (n < 8u && x[n] != 0u) { n++; } y[0] = n;',
        y: (x) => [(x.indexOf(0) + 8) % 8],
      },
      {
        text: 'var n = 0u; for (; n < 20u && !(n > 7u || x[n] == 0u); n++) {} y[0] = n;',
        y: (x) => [(x.indexOf(0) + 8) % 8],
      },
      {
        text: 'for (var i = 0u; i < 10u; i++) { if (i < 8u && x[i] == 0u) { y[i] = 1u; } y[i] += u32(i >= 8u || x[i] > 3u); }',
        y: (x) => Array.from({ length: 10 }, (_, i) => Number(x[i] === 0) + Number(i >= 8 || x[i] > 3)),
      },
    ],
    inputs,
    { declarations: counting },
  );
});

functions('a select looks at both sides: the checked build stops at either', () => {
  const source = `@group(0) @binding(4) var<storage, read> x: array<u32>;
    @group(0) @binding(7) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn both() { y[0] = select(x[9], 5u, y[0] == 0u); }
    @compute @workgroup_size(1) fn right() { let k = 9u; if (k < arrayLength(&x) && x[k] == 1u) { y[0] = 1u; } }`;
  const wasm = wasmOf(source, { checked: true });
  const buffers = () => ({ x: new Uint32Array(4), y: new Uint32Array(4) });
  assert.throws(
    () => wasm.run('both', { buffers: buffers() }),
    (error: Error) => error instanceof OutsideIndex && error.binding === 4 && error.index === 9,
  );
  wasm.run('right', { buffers: buffers() });
});

functions('if and else choose one branch', () => {
  checkPrograms(
    [
      {
        text: `for (var i = 0u; i < 8u; i++) {
            let n = x[i];
            if (n == 0u) { y[i] = 10u; } else if (n == 1u) { y[i] = 11u; } else if (n < 4u) { if (n == 2u) { y[i] = 12u; } else { y[i] = 13u; } } else { y[i] = 14u; }
          }`,
        y: (x) => x.map((n) => 10 + Math.min(n, 4)),
      },
      {
        text: 'var a = 1u; if (x[0] == 3u) { a = 2u; let a = 5u; y[1] = a; } else { var a = 7u; a++; y[1] = a; } y[0] = a;',
        y: (x) => (x[0] === 3 ? [2, 5] : [1, 8]),
      },
      { text: 'if (true) { y[0] = 1u; } if (false) { y[1] = 1u; } else { y[1] = 2u; }', y: () => [1, 2] },
    ],
    inputs,
  );
});

functions.run();
