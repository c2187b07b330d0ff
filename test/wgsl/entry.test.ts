import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wasmOf } from '../support/wasm.js';

const buffers = `struct Dims { count: u32, rows: u32 }
  @group(0) @binding(0) var<uniform> dims: Dims;
  @group(0) @binding(1) var<storage, read> x: array<u32>;
  @group(0) @binding(2) var<storage, read_write> y: array<u32>;
  const threads = 8u;`;

const counts = [0, 1, 7, 8, 9, 64, 65, 200];
const grids = [1, 2, 3, 7];

/** Ways to hand out n workgroups. */
function partitions(n: number): (readonly (readonly [number, number])[])[] {
  const single = Array.from({ length: n }, (_, i) => [i, i + 1] as const);
  const half = Math.floor(n / 2);
  return [
    [[0, n]],
    single,
    [...single].reverse(),
    [
      [half, n],
      [0, half],
    ],
  ];
}

const input = Uint32Array.from({ length: 200 }, (_, i) => (Math.imul(i + 1, 0x9e3779b9) >>> 3) % 50);

const striding = suite('entries that loop with the grid’s stride');

/** The parameters of an entry that loops. */
const parameters = '(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u)';

const loops: Readonly<Record<string, string>> = {
  plain: 'for (var i = id.x; i < dims.count; i += groups.x * threads) { y[i] = x[i] * 2u + 1u; }',
  suffixed: 'for (var i = id.x; i < dims.count; i += threads * groups.x) { y[i] = x[i] * 2u + 1u; }',
  with_values: `let n = dims.count; let two = x[0] - x[0] + 2u;
    for (var i = id.x; i < n; i += groups.x * threads) { let v = x[i] * two; y[i] = v + 1u; }`,
  of_length:
    'for (var i = id.x; i < min(arrayLength(&x), dims.count); i += groups.x * threads) { y[i] = x[i] * 2u + 1u; }',
  going_on: `for (var i = id.x; i < dims.count; i += groups.x * threads) {
      y[i] = 1u;
      if (x[i] == 0u) { continue; }
      for (var k = 0u; k < 100u; k++) { if (k == x[i]) { break; } y[i] += 2u; }
    }`,
  with_divisions: `for (var i = id.x; i < dims.count; i += groups.x * threads) {
      y[i] = x[i / dims.rows * dims.rows + i % dims.rows] * 2u + 1u;
    }`,
  returning: `for (var i = id.x; i < dims.count; i += groups.x * threads) {
      y[i] = x[i] * 2u + 1u;
      if (i >= 0xfffffff0u) { return; }
    }`,
  of_a_bound_that_changes: `y[200] = dims.count;
    for (var i = id.x; i < y[200]; i += groups.x * threads) { y[i] = x[i] * 2u + 1u; }`,
  naming_id_twice: `if (id.x >= dims.count) { return; }
    for (var i = id.x; i < dims.count; i += groups.x * threads) { y[i] = x[i] * 2u + 1u; }`,
};

striding('give the same for any grid and any partition of it', () => {
  const entries = Object.entries(loops).map(
    ([name, text]) => `@compute @workgroup_size(threads) fn ${name}${parameters} { ${text} }`,
  );
  for (const checked of [false, true]) {
    const wasm = wasmOf([buffers, ...entries].join('\n'), { checked });
    for (const name of Object.keys(loops)) {
      for (const count of counts) {
        for (const groups of grids) {
          for (const shares of partitions(groups)) {
            const y = new Uint32Array(201);
            const dims = wasm.kernels[name].dims && { count, rows: 5 };
            wasm.run(name, { buffers: { x: input, y }, dims, groups: [groups, 1, 1], shares });
            const expected = Array.from({ length: 200 }, (_, i) => (i < count ? input[i] * 2 + 1 : 0));
            assert.equal([...y.subarray(0, 200)], expected, `${name}: ${count} by ${groups} workgroups`);
          }
        }
      }
    }
  }
});

/** What the invocations of a grid write, one after the other. */
function invocations(grid: number, invoke: (id: number, y: number[]) => void): number[] {
  const y = new Array<number>(200).fill(0);
  for (let id = 0; id < grid; id++) invoke(id, y);
  return y;
}

striding('end for each invocation by itself where they break, return or count otherwise', () => {
  const source = `${buffers}
    @compute @workgroup_size(threads) fn breaking${parameters} {
      for (var i = id.x; i < dims.count; i += groups.x * threads) { if (x[i] < 10u) { break; } y[i] = 1u; }
    }
    @compute @workgroup_size(threads) fn returning${parameters} {
      for (var i = id.x; i < dims.count; i += groups.x * threads) { y[i] = 1u; if (x[i] < 10u) { return; } }
    }
    @compute @workgroup_size(threads) fn further${parameters} {
      for (var i = id.x + 1u; i < dims.count; i += groups.x * threads) { y[i] += 1u; }
    }
    @compute @workgroup_size(threads) fn summing${parameters} {
      var n = 0u;
      for (var i = id.x; i < dims.count; i += groups.x * threads) { n += 1u; }
      y[id.x] = n;
    }
    @compute @workgroup_size(threads) fn skipping${parameters} {
      for (var i = id.x; i < dims.count; i += groups.x * threads) { if (x[i] < 10u) { i += 1u; } y[min(i, 199u)] = 1u; }
    }`;
  const wasm = wasmOf(source);
  const walk = (id: number, grid: number, count: number, visit: (i: number) => number | undefined) => {
    for (let i = id; i < count; i += grid) {
      const next = visit(i);
      if (next === undefined) return;
      i = next;
    }
  };
  for (const count of counts) {
    for (const groups of grids) {
      const grid = 8 * groups;
      const expected: Record<string, number[]> = {
        breaking: invocations(grid, (id, y) =>
          walk(id, grid, count, (i) => (input[i] < 10 ? undefined : ((y[i] = 1), i))),
        ),
        returning: invocations(grid, (id, y) =>
          walk(id, grid, count, (i) => ((y[i] = 1), input[i] < 10 ? undefined : i)),
        ),
        further: invocations(grid, (id, y) => walk(id + 1, grid, count, (i) => (y[i]++, i))),
        summing: invocations(grid, (id, y) => walk(id, grid, count, (i) => (y[id]++, i))),
        skipping: invocations(grid, (id, y) =>
          walk(id, grid, count, (i) => {
            const at = input[i] < 10 ? i + 1 : i;
            y[Math.min(at, 199)] = 1;
            return at;
          }),
        ),
      };
      for (const [name, wanted] of Object.entries(expected)) {
        for (const shares of partitions(groups)) {
          const y = new Uint32Array(200);
          const { storage } = wasm.kernels[name];
          const given = { y, ...(storage.length > 1 && { x: input }) };
          wasm.run(name, { buffers: given, dims: { count }, groups: [groups, 1, 1], shares });
          assert.equal([...y], wanted, `${name}: ${count} by ${groups} workgroups`);
        }
      }
    }
  }
});

const grid = suite('grids');

const place = `fn at(id: vec3u, size: vec3u) -> u32 { return (id.z * size.y + id.y) * size.x + id.x; }
  @group(0) @binding(0) var<storage, read_write> y: array<u32>;`;

grid('number their workgroups and invocations along x, y and z', () => {
  const sizes = [
    [1, 1, 1],
    [4, 1, 1],
    [2, 3, 1],
    [2, 1, 3],
    [1, 2, 2],
    [3, 2, 2],
  ];
  const entry = ([a, b, c]: readonly number[], i: number) => `
    @compute @workgroup_size(${a}, ${b}, ${c}) fn size${i}(
      @builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) inside: vec3u,
      @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
    ) {
      let size = vec3u(${a}u, ${b}u, ${c}u);
      let same = all(id == group * size + inside) && all(inside < size) && all(group < groups);
      let code = (group.x + 10u * group.y + 100u * group.z) * 1000u + inside.x + 10u * inside.y + 100u * inside.z;
      y[at(id, groups * size)] = select(0u, code + 1u, same);
    }`;
  const wasm = wasmOf([place, ...sizes.map(entry)].join('\n'));
  sizes.forEach((size, i) => {
    for (const groups of [
      [1, 1, 1],
      [5, 1, 1],
      [2, 3, 1],
      [3, 1, 2],
      [2, 2, 3],
    ] as const) {
      const total = groups[0] * groups[1] * groups[2];
      const all = size.map((one, axis) => one * groups[axis]);
      const expected: number[] = [];
      for (let z = 0; z < all[2]; z++)
        for (let y = 0; y < all[1]; y++)
          for (let x = 0; x < all[0]; x++) {
            const id = [x, y, z];
            const code = (digits: readonly number[]) => digits[0] + 10 * digits[1] + 100 * digits[2];
            const group = code(id.map((one, axis) => Math.floor(one / size[axis])));
            expected.push(group * 1000 + code(id.map((one, axis) => one % size[axis])) + 1);
          }
      for (const shares of partitions(total)) {
        const y = new Uint32Array(expected.length);
        wasm.run(`size${i}`, { buffers: { y }, groups, shares });
        assert.equal([...y], expected, `${size.join('×')} times ${groups.join('×')}`);
      }
      // Any range of workgroups runs exactly these.
      const y = new Uint32Array(expected.length);
      const [first, last] = [Math.floor(total / 3), Math.ceil((2 * total) / 3)];
      wasm.run(`size${i}`, { buffers: { y }, groups, shares: [[first, last]] });
      const mine = expected.map((code) => {
        const group = Math.floor((code - 1) / 1000);
        const digits = [group % 10, Math.floor(group / 10) % 10, Math.floor(group / 100)];
        const linear = (digits[2] * groups[1] + digits[1]) * groups[0] + digits[0];
        return linear >= first && linear < last ? code : 0;
      });
      assert.equal([...y], mine, `${first} … ${last} of ${size.join('×')} times ${groups.join('×')}`);
    }
  });
});

grid('run nothing for an empty range', () => {
  const wasm = wasmOf(
    `${place} @compute @workgroup_size(2) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 1u; }`,
  );
  const y = new Uint32Array(8);
  wasm.run('main', {
    buffers: { y },
    groups: [4, 1, 1],
    shares: [
      [0, 0],
      [2, 2],
      [4, 4],
    ],
  });
  assert.equal([...y], new Array<number>(8).fill(0));
});

grid('a return ends its invocation only, and variables begin anew', () => {
  const wasm =
    wasmOf(`${place} @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
      var n = 0u;
      var list: array<u32, 2>;
      if (id.x % 3u == 1u) { return; }
      n += id.x + 1u;
      list[id.x & 1u] += 5u;
      y[id.x] = n + 100u * list[0] + 1000u * list[1];
    }`);
  const y = new Uint32Array(12);
  wasm.run('main', { buffers: { y }, groups: [3, 1, 1] });
  assert.equal(
    [...y],
    Array.from({ length: 12 }, (_, i) => (i % 3 === 1 ? 0 : i + 1 + (i % 2 === 0 ? 500 : 5000))),
  );
});

striding.run();
grid.run();
