import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readShader } from '../../engine/adapter.js';
import { KernelError } from '../../engine/index.js';
import { checkBuffers, writeDims } from '../../engine/kernel.js';
import { reflect } from '../../engine/reflect.js';

const header = `
struct Dims {
  rows: u32,
  slope: f32,
  cols: u32,
}
struct Row {
  first: u32,
  last: u32,
}
@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> x4: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> rows: array<Row>;
const threads = 64u;
const wide : u32 = 8;
fn at(i: u32) -> f32 { return x[i] * dims.slope; }
`;
const source = `${header}
@compute @workgroup_size(threads)
fn direct(@builtin(global_invocation_id) id: vec3u) { y[id.x] = at(id.x); }
@compute @workgroup_size(wide, 4)
fn quads(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x4[id.x].y + f32(rows[0].last); }
@compute @workgroup_size(1)
fn alone() { y[0] = 1.0; }
`;

const throws = (body: () => void, message: string | RegExp) =>
  assert.throws(body, (error: Error) => {
    assert.instance(error, KernelError);
    if (typeof message === 'string') assert.is(error.message, message);
    else assert.match(error.message, message);
    return true;
  });

const reflected = suite('reflect');

reflected('names what each entry binds, also through the functions it calls, and nothing else', () => {
  const kernels = reflect('test', source);
  assert.equal([...kernels.keys()], ['direct', 'quads', 'alone']);
  const storage = (entry: string) =>
    kernels
      .get(entry)
      ?.storage.map(({ name, binding, writable, bytes }) => `${name} ${binding} ${writable} ${bytes}`)
      .sort();
  assert.equal(storage('direct'), ['x 1 false 4', 'y 2 true 4']);
  assert.equal(storage('quads'), ['rows 3 false 8', 'x4 1 false 16', 'y 2 true 4']);
  assert.equal(storage('alone'), ['y 2 true 4']);
});

reflected('names the overrides of a file, which must be u32 of dims', () => {
  const [kernel] = reflect(
    'test',
    source.replace('const threads', 'override cols: u32;\nconst threads'),
  ).values();
  assert.equal(kernel.overrides, ['cols']);
  for (const [name, type] of [
    ['slope', 'f32'],
    ['rows_of_it', 'u32'],
  ])
    throws(
      () => reflect('test', source.replace('const threads', `override ${name}: ${type};\nconst threads`)),
      `test.wgsl: direct: override ${name} is not a u32 that is also a member of dims`,
    );
});

reflected('resolves workgroup sizes, of constants too', () => {
  const kernels = reflect('test', source);
  assert.equal(kernels.get('direct')?.workgroup, [64, 1, 1]);
  assert.equal(kernels.get('quads')?.workgroup, [8, 4, 1]);
  assert.equal(kernels.get('alone')?.workgroup, [1, 1, 1]);
});

reflected('gives offset and type of each member of dims, to entries that read it', () => {
  const kernels = reflect('test', source);
  assert.is(kernels.get('quads')?.dims, undefined);
  assert.equal(kernels.get('direct')?.dims, {
    binding: 0,
    bytes: 16,
    members: [
      { name: 'rows', offset: 0, type: 'u32' },
      { name: 'slope', offset: 4, type: 'f32' },
      { name: 'cols', offset: 8, type: 'u32' },
    ],
  });
});

reflected('refuses what the engine does not use, naming file and entry', () => {
  const entry = '@compute @workgroup_size(1) fn main() { y[0] = f32(second.n); }';
  const y = '@group(0) @binding(2) var<storage, read_write> y: array<f32>;';
  throws(
    () => reflect('bad', `struct S { n: u32 } @group(1) @binding(0) var<uniform> second: S; ${y} ${entry}`),
    'bad.wgsl: main: binds outside group 0',
  );
  throws(
    () =>
      reflect(
        'bad',
        `struct S { n: vec4f } @group(0) @binding(0) var<uniform> second: S; ${y}
      @compute @workgroup_size(1) fn main() { y[0] = second.n.x; }`,
      ),
    /^bad\.wgsl: main: dims\.n is vec4.*; dims are u32 or f32$/,
  );
  throws(
    () =>
      reflect(
        'bad',
        `${header} struct S { n: u32 } @group(0) @binding(9) var<uniform> second: S;
      @compute @workgroup_size(1) fn main() { y[0] = f32(second.n) * dims.slope; }`,
      ),
    'bad.wgsl: main: has 2 uniforms; put them into dims',
  );
  throws(
    () =>
      reflect(
        'bad',
        `${header} override size: u32; @compute @workgroup_size(size) fn main() { y[0] = 1.0; }`,
      ),
    /workgroup_size\(size\) is neither a number nor a const of one/,
  );
});

const shaders = readdirSync('shaders').map((file) => file.replace(/\.wgsl$/, ''));

reflected('reads every shader; every entry has at most 8 storage buffers and 256 invocations', () => {
  assert.ok(shaders.includes('elementwise'));
  for (const shader of shaders) {
    const kernels = [...reflect(shader, readShader(shader)).values()];
    assert.ok(kernels.length > 0, `${shader} has no entry`);
    for (const { entry, storage, workgroup } of kernels) {
      assert.ok(storage.length <= 8, `${entry} binds ${storage.length} storage buffers`);
      assert.ok(
        workgroup[0] * workgroup[1] * workgroup[2] <= 256,
        `${entry} has ${workgroup.join('×')} threads`,
      );
    }
  }
});

reflected.run();

const checked = suite('checkBuffers');
const direct = reflect('test', source).get('direct')!;

checked('wants exactly the buffers of the entry, in any order, by name', () => {
  checkBuffers(direct, ['y', 'x']);
  throws(() => checkBuffers(direct, ['x']), 'direct: test.wgsl binds "x, y", but run() gave "x"');
  throws(() => checkBuffers(direct, ['y', 'x4']), 'direct: test.wgsl binds "x, y", but run() gave "x4, y"');
  throws(
    () => checkBuffers(direct, ['rows', 'y', 'x']),
    'direct: test.wgsl binds "x, y", but run() gave "rows, x, y"',
  );
});

checked.run();

const written = suite('writeDims');

written('writes members by name and type, wherever they lie', () => {
  const view = new DataView(new ArrayBuffer(32));
  writeDims(direct, { cols: 4294967295, slope: -0.5, rows: 7 }, view, 16);
  assert.equal(
    [view.getUint32(16, true), view.getFloat32(20, true), view.getUint32(24, true)],
    [7, -0.5, 4294967295],
  );
  assert.is(view.getUint32(0, true), 0);
});

written('lets members out that other entries use', () => {
  const view = new DataView(new ArrayBuffer(16));
  writeDims(direct, { slope: 2 }, view, 0);
  assert.equal([view.getUint32(0, true), view.getFloat32(4, true)], [0, 2]);
});

written('refuses names that dims does not have and numbers that are no u32', () => {
  const view = new DataView(new ArrayBuffer(16));
  throws(
    () => writeDims(direct, { rows: 1, columns: 2 }, view, 0),
    'direct: test.wgsl has dims "cols, rows, slope", but run() gave "columns, rows"',
  );
  for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) {
    throws(
      () => writeDims(direct, { rows: value }, view, 0),
      `direct: dims.rows is a u32, but run() gave ${value}`,
    );
  }
  const alone = reflect('test', source).get('alone')!;
  throws(() => writeDims(alone, { rows: 1 }, view, 0), 'alone: test.wgsl has dims "", but run() gave "rows"');
});

written.run();
