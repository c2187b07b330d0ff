import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPrograms, wasmOf, type Program } from '../support/wasm.js';

/** Numbers of rounds: none, one, and on both sides of what is written out and of the copies in one turn. */
const rounds = [0, 1, 2, 7, 8, 9, 16, 17];
const counts = rounds.map((n) => [n, 1, 2, 3]);

/** A loop over y, with a number of rounds that is known beforehand and with one that is not. */
const loop = (text: string, y: (n: number) => readonly number[]): Program => ({
  text: `let n = x[0]; ${text}`,
  y: ([n]) => y(n),
});

const loops = suite('loops');

loops('of any number of rounds run exactly these', () => {
  const squares = (n: number) => Array.from({ length: n }, (_, i) => i * i + 1);
  checkPrograms(
    [
      loop('for (var i = 0u; i < n; i++) { y[i] = i * i + 1u; }', squares),
      loop('for (var i = 0u; i < n; i += 1u) { y[i] = i * i + 1u; }', squares),
      loop('for (var i = 0u; i < x[0]; i = i + 1u) { y[i] = i * i + 1u; }', squares),
      loop(
        'for (var i = 0u; i <= n; i++) { if (i > 0u) { y[i - 1u] = (i - 1u) * (i - 1u) + 1u; } }',
        squares,
      ),
      loop('for (var i = n; i > 0u; i--) { y[i - 1u] = (i - 1u) * (i - 1u) + 1u; }', squares),
      loop('for (var i = n; i != 0u; i -= 1u) { y[i - 1u] = (i - 1u) * (i - 1u) + 1u; }', squares),
      loop('var i = 0u; while (i < n) { y[i] = i * i + 1u; i++; }', squares),
      loop('var i = 0u; loop { if (i >= n) { break; } y[i] = i * i + 1u; i++; }', squares),
      loop('var i = 0u; for (; i < n;) { y[i] = i * i + 1u; i++; }', squares),
      loop('for (var i = 0; i < i32(n); i++) { y[i] = u32(i * i + 1); }', squares),
      loop('for (var i: u32 = 0; i < n; i++) { y[i] = i * i + 1u; }', squares),
      loop('for (var f = 0.5; f < f32(n); f += 1.0) { let i = u32(f); y[i] = i * i + 1u; }', squares),
    ],
    counts,
  );
});

loops('count by any step, from anywhere', () => {
  const every = (from: number, step: number) => (n: number) => {
    const y = new Array<number>(20).fill(0);
    for (let i = from; i < n; i += step) y[i] = i + 100;
    return y;
  };
  checkPrograms(
    [
      loop('for (var i = 0u; i < n; i += 3u) { y[i] = i + 100u; }', every(0, 3)),
      loop('for (var i = x[1]; i < n; i += x[2]) { y[i] = i + 100u; }', every(1, 2)),
      loop('for (var i = 2u; i < n; i += x[1] + 1u) { y[i] = i + 100u; }', every(2, 2)),
      loop('for (var i = x[3] - 3u; i < n; i += 2u * 2u) { y[i] = i + 100u; }', every(0, 4)),
      loop('for (var i = 0u; i < n; i += i + 1u) { y[i] = i + 100u; }', (n) => {
        const y = new Array<number>(20).fill(0);
        for (let i = 0; i < n; i += i + 1) y[i] = i + 100;
        return y;
      }),
      loop('for (var i = 1u; i < n; i *= 2u) { y[i] = i + 100u; }', (n) => {
        const y = new Array<number>(20).fill(0);
        for (let i = 1; i < n; i *= 2) y[i] = i + 100;
        return y;
      }),
      loop('for (var i = -3; i < i32(n) - 5; i += 2) { y[i + 3] = u32(i32(x[1]) - i); }', (n) => {
        const y = new Array<number>(20).fill(0);
        for (let i = -3; i < n - 5; i += 2) y[i + 3] = (1 - i) >>> 0;
        return y;
      }),
    ],
    counts,
  );
});

loops('of which the body changes the counter or the bound are no counted loops', () => {
  checkPrograms(
    [
      loop('for (var i = 0u; i < n; i++) { y[i] = 1u; if (i % 3u == 1u) { i++; } }', (n) => {
        const y = new Array<number>(20).fill(0);
        for (let i = 0; i < n; i++) {
          y[i] = 1;
          if (i % 3 === 1) i++;
        }
        return y;
      }),
      loop('var m = n; for (var i = 0u; i < m; i++) { y[i] = 1u; if (i == 4u) { m = 6u; } }', (n) =>
        new Array<number>(n > 4 ? 6 : n).fill(1),
      ),
      loop(
        'y[19] = n; for (var i = 0u; i < y[19]; i++) { y[i] += 1u; if (i == 4u) { y[19] = 6u; } }',
        (n) => {
          const y = new Array<number>(20).fill(0);
          y[19] = n;
          for (let i = 0; i < y[19]; i++) {
            y[i]++;
            if (i === 4) y[19] = 6;
          }
          return y;
        },
      ),
      loop('var s = 1u; for (var i = 0u; i < n; i += s) { y[i] = 1u; s = 2u; }', (n) =>
        Array.from({ length: 20 }, (_, i) => Number(i < n && i % 2 === 0)),
      ),
      loop('y[19] = 1u; for (var i = 0u; i < n; i += y[19]) { y[i] += 1u; }', (n) =>
        Array.from({ length: 20 }, (_, i) => (i === 19 ? 1 : Number(i < n))),
      ),
      loop('var v = vec2u(n); for (var i = 0u; i < v.x; i++) { y[i] = 1u; v.x = min(v.x, 3u); }', (n) =>
        new Array<number>(Math.min(n, 3)).fill(1),
      ),
      loop('for (var i = 0u; i < until(i); i++) { y[i] = 1u; }', (n) =>
        new Array<number>(Math.ceil(n / 2)).fill(1),
      ),
    ],
    counts,
    { declarations: 'fn until(i: u32) -> u32 { return (x[0] + 1u) / 2u + i * 0u; }' },
  );
});

loops('end or go on where break and continue say', () => {
  checkPrograms(
    [
      loop('for (var i = 0u; i < n; i++) { if (i == 5u) { break; } y[i] = 1u; }', (n) =>
        new Array<number>(Math.min(n, 5)).fill(1),
      ),
      loop('for (var i = 0u; i < n; i++) { if (i % 2u == 1u) { continue; } y[i] = 1u; }', (n) =>
        Array.from({ length: n }, (_, i) => 1 - (i % 2)),
      ),
      loop(
        'for (var i = 0u; i < 6u; i++) { if (i == n) { continue; } if (i > 4u) { break; } y[i] = 1u; }',
        (n) => Array.from({ length: 5 }, (_, i) => Number(i !== n)),
      ),
      loop(
        'var i = 0u; while (true) { i++; if (i > n) { break; } if (i == 3u) { continue; } y[i - 1u] = 1u; }',
        (n) => Array.from({ length: n }, (_, i) => Number(i !== 2)),
      ),
      loop(
        'for (var i = 0u; i < n; i++) { for (var k = 0u; k < n; k++) { if (k > i) { break; } if (k == 1u) { continue; } y[i] += 1u; } }',
        (n) => Array.from({ length: n }, (_, i) => i + 1 - Number(i > 0)),
      ),
      loop(
        'for (var i = 0u; i < n; i++) { var k = 0u; loop { k++; if (k > i) { break; } } if (k == 4u) { break; } y[i] = k; }',
        (n) => Array.from({ length: Math.min(n, 3) }, (_, i) => i + 1),
      ),
    ],
    counts,
  );
});

loops('stand in loops, with bounds that the outer ones give', () => {
  checkPrograms(
    [
      loop('for (var i = 0u; i < n; i++) { for (var k = 0u; k < i; k++) { y[i] += k; } }', (n) =>
        Array.from({ length: n }, (_, i) => (i * (i - 1)) / 2),
      ),
      loop(
        'for (var i = 0u; i < 3u; i++) { for (var k = 0u; k < n; k++) { for (var j = i; j < 4u; j++) { y[k] += j * 10u + i; } } }',
        (n) => {
          let sum = 0;
          for (let i = 0; i < 3; i++) for (let j = i; j < 4; j++) sum += j * 10 + i;
          return new Array<number>(n).fill(sum);
        },
      ),
      loop(
        'var total = 0u; for (var i = 0u; i < n; i++) { let before = total; for (var i = 0u; i < 9u; i++) { total += i; } y[i] = total - before; }',
        (n) => new Array<number>(n).fill(36),
      ),
    ],
    counts,
  );
});

loops('of few rounds, known beforehand, choose elements of arrays by their counter', () => {
  checkPrograms(
    rounds.map((n) =>
      loop(
        `var a: array<u32, 20>; for (var i = 0u; i < ${n}u; i++) { a[i] = i + x[0]; } for (var i = 0; i < ${n}; i++) { y[i] = a[i] + u32(i / 2 - 1 % 2); }`,
        (m) => Array.from({ length: n }, (_, i) => (i + m + Math.trunc(i / 2) - 1) >>> 0),
      ),
    ),
    counts.slice(0, 2),
  );
});

loops('carry quotients and remainders of their counter along', () => {
  const each = (value: (i: number, x: readonly number[]) => number) => (x: readonly number[]) =>
    Array.from({ length: x[0] }, (_, i) => value(i, x));
  const whole = Math.floor;
  checkPrograms(
    [
      {
        text: 'for (var i = 0u; i < x[0]; i++) { y[i] = i / x[3] * 100u + i % x[3]; }',
        y: each((i, x) => whole(i / x[3]) * 100 + (i % x[3])),
      },
      {
        text: 'let d = x[2]; for (var i = x[1]; i < x[0]; i++) { y[i] = i / d * 100u + i % d; }',
        y: each((i, x) => (i < x[1] ? 0 : whole(i / x[2]) * 100 + (i % x[2]))),
      },
      {
        text: 'for (var i = 0u; i < x[0]; i++) { let d = x[2] + x[1]; y[i] = i / d * 100u + i % d; }',
        y: each((i, x) => whole(i / (x[1] + x[2])) * 100 + (i % (x[1] + x[2]))),
      },
      {
        text: 'for (var i = 0u; i < x[0]; i++) { let d = x[2] * x[3]; y[i] = i / d * 100u + i % d; }',
        y: each((i, x) => whole(i / (x[2] * x[3])) * 100 + (i % (x[2] * x[3]))),
      },
      {
        text: 'var d = 1u; for (var i = 0u; i < x[0]; i++) { y[i] = i / d * 100u + i % d; d++; }',
        y: each((i) => whole(i / (i + 1)) * 100 + (i % (i + 1))),
      },
      {
        text: 'for (var i = 0u; i < x[0]; i++) { if (x[2] > 5u) { y[i] = i / (x[1] - 1u); } if (i == 4u) { continue; } y[i] += i % x[3]; }',
        y: each((i, x) => (i === 4 ? 0 : i % x[3])),
      },
      {
        text: 'for (var i = 0u; i < x[0]; i += 2u) { y[i] = i / x[3] * 100u + i % x[3]; }',
        y: each((i, x) => (i % 2 === 1 ? 0 : whole(i / x[3]) * 100 + (i % x[3]))),
      },
      {
        text: 'for (var i = 0u; i < x[0]; i++) { y[i] = (i + 3u) / x[3] * 100u + (2u * i) % x[2]; }',
        y: each((i, x) => whole((i + 3) / x[3]) * 100 + ((2 * i) % x[2])),
      },
      {
        text: 'for (var k = 0u; k < x[0]; k++) { for (var i = 0u; i < k; i++) { y[k] += i / x[2] * 100u + i % (k + 1u) + k % x[3]; } }',
        y: each((k, x) => {
          let sum = 0;
          for (let i = 0; i < k; i++) sum += whole(i / x[2]) * 100 + i + (k % x[3]);
          return sum;
        }),
      },
      {
        text: 'for (var i = 0; i < i32(x[0]); i++) { y[i] = u32((i - 4) / i32(x[3]) + (i - 4) % i32(x[2]) + i % i32(x[3]) + 100); }',
        y: each((i, x) => Math.trunc((i - 4) / x[3]) + ((i - 4) % x[2]) + (i % x[3]) + 100),
      },
    ],
    counts,
  );
});

loops('end at the end of the range of numbers', () => {
  checkPrograms(
    [
      {
        text: 'for (var i = 0xfffffff0u + x[1]; i < 0xffffffffu; i++) { y[i - 0xfffffff0u] = 1u; }',
        y: () => Array.from({ length: 15 }, (_, i) => Number(i > 0)),
      },
      {
        text: 'let last = 0xffffffffu; for (var i = last - 9u; i < last; i += 3u) { y[i - (last - 9u)] = 1u; if (i == last - 3u) { break; } }',
        y: () => [1, 0, 0, 1, 0, 0, 1],
      },
      {
        text: 'for (var i = 2147483640; i < 2147483647 - 7 * i32(x[1]) + 7; i++) { y[i - 2147483640] = 1u; }',
        y: () => new Array<number>(7).fill(1),
      },
    ],
    [[0, 1, 2, 3]],
  );
});

loops('sum floats in the order of their rounds', () => {
  const source = `@group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn sum() {
      var total = 0.0;
      for (var i = 0u; i < arrayLength(&x); i++) { total += x[i] * 0.1; }
      y[0] = total;
    }`;
  const x = Float32Array.from({ length: 45 }, (_, i) => 1e7 / (i + 1) ** 3);
  const y = new Float32Array(1);
  wasmOf(source).run('sum', { buffers: { x, y } });
  let total = 0;
  for (const one of x) total = Math.fround(total + Math.fround(one * Math.fround(0.1)));
  assert.is(y[0], total);
});

loops.run();
