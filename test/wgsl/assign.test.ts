import { suite } from 'uvu';
import { checkPrograms } from '../support/wasm.js';

const inputs = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [3, 2, 1, 0, 9, 0, 2, 1],
];

const variables = suite('variables');

variables('start from zero or from what they are given, in every round anew', () => {
  checkPrograms(
    [
      {
        text: `var a: u32; var b: vec3u; var c: array<u32, 2>; var d = x[1]; var e: u32 = 7;
          y[0] = a; y[1] = b.z; y[2] = c[1]; y[3] = d; y[4] = e;`,
        y: (x) => [0, 0, 0, x[1], 7],
      },
      {
        text: 'for (var i = 0u; i < 9u; i++) { var n: u32; n += x[0] + 1u; y[i] = n; }',
        y: (x) => new Array<number>(9).fill(x[0] + 1),
      },
      {
        text: 'var a = x[0]; { var a = x[1]; a += 10u; y[0] = a; } y[1] = a; let b = a; a = 5u; y[2] = b; y[3] = a;',
        y: (x) => [x[1] + 10, x[0], x[0], 5],
      },
      {
        text: 'var a = vec2u(x[0], x[1]); let b = a; a.x = 50u; y[0] = b.x; y[1] = a.x; a = a.yx; y[2] = a.x; y[3] = a.y;',
        y: (x) => [x[0], 50, x[1], 50],
      },
      { text: 'const k = 3; const j = 2u; y[j] = x[k]; _ = x[0]; y[k] = j;', y: (x) => [0, 0, x[3], 2] },
    ],
    inputs,
  );
});

variables('compound assignments and ++ do what the operators do', () => {
  checkPrograms(
    [
      {
        text: `var a = x[4]; a += 7u; y[0] = a; a -= 3u; y[1] = a; a *= 5u; y[2] = a; a /= 2u; y[3] = a; a %= 7u; y[4] = a;
          a <<= 3u; y[5] = a; a |= 5u; y[6] = a; a ^= 0xffu; y[7] = a; a >>= 1u; y[8] = a; a &= 0x3cu; y[9] = a;
          a++; y[10] = a; a--; a--; y[11] = a;`,
        y: ([, , , , x]) => {
          let a = x;
          const list = [(a += 7), (a -= 3), (a *= 5), (a = Math.floor(a / 2)), (a %= 7)];
          list.push((a <<= 3), (a |= 5), (a ^= 0xff), (a >>= 1), (a &= 0x3c), (a += 1), (a -= 2));
          return list;
        },
      },
      {
        text: 'y[0] = 9u; y[0] += x[1]; y[0] *= 2u; y[1]++; y[1]++; y[2]--; y[x[0]] += 100u;',
        y: (x) => {
          const y = [2 * (9 + x[1]), 2, 0xffffffff, 0];
          y[x[0]] = (y[x[0]] + 100) >>> 0;
          return y;
        },
      },
      {
        text: 'var v = vec4u(1u, 2u, 3u, 4u); v += x[1]; v *= vec4u(2u); v.z -= 1u; v.w++; for (var i = 0u; i < 4u; i++) { y[i] = v[i]; }',
        y: (x) => [2 * (1 + x[1]), 2 * (2 + x[1]), 2 * (3 + x[1]) - 1, 2 * (4 + x[1]) + 1],
      },
    ],
    inputs,
  );
});

variables('a component is named, numbered or chosen while running, for every width', () => {
  checkPrograms(
    [2, 3, 4].flatMap((n) => {
      const start = Array.from({ length: n }, (_, i) => i + 1);
      const out = start.map((_, i) => `y[${i}] = v[${i}];`).join(' ');
      const from = `var v = vec${n}u(${start.join(', ')});`;
      const at = (x: readonly number[]) => x[1] % n;
      const put = (i: number, value: number) => start.map((one, k) => (k === i ? value : one));
      return [
        { text: `${from} v.y = x[0]; ${out}`, y: (x: readonly number[]) => put(1, x[0]) },
        { text: `${from} v.g = x[0]; ${out}`, y: (x: readonly number[]) => put(1, x[0]) },
        { text: `${from} v[1] = x[0] + 1u; ${out}`, y: (x: readonly number[]) => put(1, x[0] + 1) },
        { text: `${from} v[x[1] % ${n}u] = x[4]; ${out}`, y: (x: readonly number[]) => put(at(x), x[4]) },
        {
          text: `${from} v[x[1] % ${n}u] += x[4]; ${out}`,
          y: (x: readonly number[]) => put(at(x), at(x) + 1 + x[4]),
        },
        {
          text: `${from} let i = x[1] % ${n}u; y[0] = v[i]; y[1] = v[${n - 1}]; y[2] = v.x; y[3] = v[x[1] % ${n}u];`,
          y: (x: readonly number[]) => [at(x) + 1, n, 1, at(x) + 1],
        },
      ];
    }),
    inputs,
  );
});

variables('a mask and floats have components too', () => {
  checkPrograms(
    [
      {
        text: `var m = vec4f(x[0], x[1], x[2], x[3]) > vec4f(1.5); m.x = true; m[u32(x[1])] = false;
          for (var i = 0u; i < 4u; i++) { y[i] = select(0.0, 1.0, m[i]); }
          var v = vec4f(); v[u32(x[2])] = 2.5; v.w += 0.5; y[4] = v.x; y[5] = v.y; y[6] = v.z; y[7] = v.w;`,
        y: (x) => {
          const m = x.slice(0, 4).map((one) => Number(one > 1.5));
          m[0] = 1;
          m[x[1]] = 0;
          const v = [0, 0, 0, 0];
          v[x[2]] = 2.5;
          v[3] += 0.5;
          return [...m, ...v];
        },
      },
      {
        text: `var m = vec2<bool>(x[0] > 1.0, x[1] > 1.0); m.y = !m.y; y[0] = f32(m.x); y[1] = f32(m.y); y[2] = f32(all(m));`,
        y: (x) => [Number(x[0] > 1), Number(!(x[1] > 1)), Number(x[0] > 1 && !(x[1] > 1))],
      },
    ],
    inputs,
    { of: 'f32' },
  );
});

variables('a swizzle is any choice of components', () => {
  checkPrograms(
    [
      {
        text: `let v = vec4u(x[0], x[1], x[2], x[3]); let a = v.wzyx; let b = v.xxy; let c = v.zw; let d = v.bgr; let e = v.yyyy;
          y[0] = a.x; y[1] = a.y; y[2] = a.z; y[3] = a.w; y[4] = b.x; y[5] = b.y; y[6] = b.z; y[7] = c.x; y[8] = c.y;
          y[9] = d.x; y[10] = d.z; y[11] = e.w; y[12] = v.zyx.xy.y; y[13] = (v + 1u).wx.x;`,
        y: ([a, b, c, d]) => [d, c, b, a, a, a, b, c, d, c, a, b, b, d + 1],
      },
      {
        text: `let v = vec3u(x[0], x[1], x[2]); let a = v.zxy; let b = vec4u(v.yz, v.xy); let c = vec4u(x[5], v); let d = vec2u(v.zz);
          y[0] = a.x; y[1] = a.y; y[2] = a.z; y[3] = b.x; y[4] = b.w; y[5] = c.x; y[6] = c.y; y[7] = c.w; y[8] = d.y; y[9] = vec3u(d, x[4]).z;`,
        y: (x) => [x[2], x[0], x[1], x[1], x[1], x[5], x[0], x[2], x[2], x[4]],
      },
    ],
    inputs,
  );
});

variables('elements of arrays are chosen by constants or while running', () => {
  checkPrograms(
    [
      {
        text: `var a = array<u32, 4>(5u, 6u, 7u, 8u); a[2] = x[0]; a[x[1]] = 30u; a[x[2]] += 2u; y[0] = a[0]; y[1] = a[1]; y[2] = a[2];
          y[3] = a[3]; y[4] = a[x[3]];`,
        y: (x) => {
          const a = [5, 6, x[0], 8];
          a[x[1]] = 30;
          a[x[2]] += 2;
          return [...a, a[x[3]]];
        },
      },
      {
        text: 'var a: array<u32, 4>; a[a[0]] = 1u; y[0] = a[0]; y[1] = a[1]; a[a[0]] = 3u; y[2] = a[1]; a[a[1]] = a[0] + 1u; y[3] = a[3];',
        y: () => [1, 0, 3, 2],
      },
      {
        text: `var a: array<vec4u, 3>; for (var i = 0u; i < 3u; i++) { a[i] = vec4u(i, x[i], 2u, 3u); } a[1].y = 40u; a[2].w += x[1];
          let k = x[0] % 3u; y[0] = a[k].y; y[1] = a[1].y; y[2] = a[2].w; y[3] = a[k].xy.x; a[k] = vec4u(9u); y[4] = a[0].x; y[5] = a[1].x; y[6] = a[2].x;`,
        y: (x) => {
          const a = [0, 1, 2].map((i) => [i, x[i], 2, 3]);
          a[1][1] = 40;
          a[2][3] += x[1];
          const k = x[0] % 3;
          const y = [a[k][1], a[1][1], a[2][3], a[k][0]];
          a[k] = [9, 9, 9, 9];
          return [...y, a[0][0], a[1][0], a[2][0]];
        },
      },
      {
        text: `var a: array<array<u32, 2>, 2>; a[0][1] = x[0]; a[1] = array<u32, 2>(x[1], x[2]); a[1][0]++; y[0] = a[0][1]; y[1] = a[1][0];
          y[2] = a[x[3] % 2u][1]; let b = a; a[0][1] = 77u; y[3] = b[0][1];`,
        y: (x) => [x[0], x[1] + 1, x[3] % 2 === 0 ? x[0] : x[2], x[0]],
      },
    ],
    inputs,
  );
});

const structs = `struct Inner { a: u32, v: vec2u }
  struct Outer { first: Inner, b: u32, list: array<u32, 3>, second: Inner }`;

variables('structs are built, nested, copied and changed in part', () => {
  checkPrograms(
    [
      {
        text: `var s = Inner(x[0], vec2u(x[1], x[2])); s.a += 1u; s.v.y = 9u; s.v = s.v.yx; y[0] = s.a; y[1] = s.v.x; y[2] = s.v.y;
          let t = s; s.a = 100u; y[3] = t.a; var z: Inner; y[4] = z.v.y; z = t; y[5] = z.v.y;`,
        y: (x) => [x[0] + 1, 9, x[1], x[0] + 1, 0, x[1]],
      },
      {
        text: `var o: Outer; o.first = Inner(1u, vec2u(x[0], 3u)); o.list[1] = x[1]; o.list[x[2] % 3u] += 5u; o.second = o.first; o.first.v.x = 70u;
          o.second.v[1] = 80u; o.b = o.first.v.x + o.second.v.x; y[0] = o.b; y[1] = o.second.v.y; y[2] = o.first.v.y; y[3] = o.list[0];
          y[4] = o.list[1]; y[5] = o.list[2]; y[6] = o.list[x[3] % 3u];`,
        y: (x) => {
          const list = [0, x[1], 0];
          list[x[2] % 3] += 5;
          return [70 + x[0], 80, 3, ...list, list[x[3] % 3]];
        },
      },
      {
        text: 'var a = array<Inner, 2>(Inner(1u, vec2u(2u)), Inner(x[0], vec2u(x[1]))); a[0].a = 4u; let i = x[2] % 2u; y[0] = a[i].a; y[1] = a[i].v.y; a[i] = Inner(); y[2] = a[0].a; y[3] = a[1].a;',
        y: (x) => {
          const [a, v] = [
            [4, x[0]],
            [2, x[1]],
          ];
          const i = x[2] % 2;
          return [a[i], v[i], i === 0 ? 0 : 4, i === 1 ? 0 : x[0]];
        },
      },
    ],
    inputs,
    { declarations: structs },
  );
});

variables('what is assigned is computed before anything changes', () => {
  checkPrograms(
    [
      {
        text: 'var a = x[0]; var b = x[1]; var v = vec2u(a, b); v = vec2u(v.y, v.x); y[0] = v.x; y[1] = v.y; v = v.yx + v; y[2] = v.x; y[3] = v.y;',
        y: ([a, b]) => [b, a, a + b, a + b],
      },
      {
        text: 'var l = array<u32, 3>(x[0], x[1], x[2]); l = array<u32, 3>(l[2], l[0], l[1]); y[0] = l[0]; y[1] = l[1]; y[2] = l[2];',
        y: ([a, b, c]) => [c, a, b],
      },
    ],
    inputs,
  );
});

variables('constants of the file are numbers, vectors and sums of others', () => {
  checkPrograms(
    [
      {
        text: `y[0] = one + two; y[1] = v.y + w.z; y[2] = select(0u, 1u, mask.y); y[3] = u32(i.x + 5); y[4] = u32(f.z * 4.0); y[5] = x[one]; y[6] = high >> 4u;
          var a: array<u32, two>; a[one] = 6u; y[7] = a[1];`,
        y: (x) => [5, 5, 1, 2, 2, x[1], 0x0fffffff, 6],
      },
    ],
    inputs,
    {
      declarations: `const one = 1; const two = one + 3; const v = vec2u(1u, 2u); const w = vec4u(1, 2, 3, 4); const f = vec3f(0.5);
        const mask = vec2<bool>(false, true); const i = vec2i(-3, 2); const high = ~0u - 5u + 5u;`,
    },
  );
});

variables.run();
