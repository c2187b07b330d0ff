import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModule } from '../../engine/adapter.js';
import { KernelError } from '../../engine/kernel.js';
import { reflect } from '../../engine/reflect.js';
import { compileShader } from '../../engine/wgsl/compile.js';
import { cpuTwins, shaderSources } from '../support/sources.js';
import { builtins, wasmOf } from '../support/wasm.js';

/** The body of an entry, in lines 10 and on, and declarations, in lines 3 to 6. */
const shader = (body: string, declarations = '') => `@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
${declarations.padEnd(declarations.length + 4 - declarations.split('\n').length, '\n')}
const four = 4u;
@compute @workgroup_size(1)
fn main() {
${body}
}`;

/** Throws KernelError that begins with the line and says the words. */
function refused(source: string, line: number, words: RegExp): void {
  assert.throws(
    () => compileShader('test', source, { checked: false, builtins }),
    (error: Error) => {
      assert.instance(error, KernelError);
      assert.ok(error.message.startsWith(`test.wgsl:${line}: `), `${error.message}, expected line ${line}`);
      assert.match(error.message, words);
      return true;
    },
    source,
  );
}

const subset = suite('what is not in the subset');

const statements: Readonly<Record<string, RegExp>> = {
  'switch (x[0]) { case 5u: { y[0] = 1u; } default: {} }': /switch is not in the subset/,
  'loop { y[0] += 1u; if (y[0] > 4u) { break; } continuing { y[1] += 2u; } }': /loop is not in the subset/,
  'let p = &y[0]; *p = 3u;': /pointers are not in the subset/,
  'workgroupBarrier();': /workgroupBarrier is not in the subset/,
  'storageBarrier();': /storageBarrier is not in the subset/,
  'var m: mat4x4f;': /type mat4x4f is not in the subset/,
  'let m = mat2x2f(1.0, 2.0, 3.0, 4.0);': /type mat2x2 is not in the subset/,
  'let h = f16(1.0);': /f16 is not in the subset/,
  'y[0] = nothing(3u);': /function nothing is not in the subset/,
  'y[0] = countOneBits(3u);': /function countOneBits is not in the subset/,
  'y[0] = abs(-3);': /abs of int is not in the subset/,
  'y[0] = nothing;': /unknown name nothing/,
  'var v = vec4u(); v.xy = vec2u(1u, 2u);': /a swizzle is not assigned to/,
  'var v = vec4u(); v.xy = 1u;': /a swizzle is not assigned to/,
  'let v = vec4(1.0, 2.0, 3.0, 4.0);': /type vec4 is not in the subset/,
  'let a = array(1u, 2u);': /an array needs a type/,
  'let v = vec2<u32>(1u, 2u).z;': /no component z in vec2/,
  'var v = vec3u(); v.w = 1u;': /no component w in vec3/,
  'let v = vec2u(1u, 2u, 3u);': /of 3 components/,
  'let a = array<u32, 2>(1u, 2u); y[0] = a[2];': /element 2 of array<u32, 2>/,
  'y[0] = bitcast<vec2u>(vec2f()).x;': /bitcast of vec2<f32> to vec2<u32>/,
  'let v = vec4u(1u) << vec4u(x[0]);': /shifted by one constant/,
  'let v = vec4u(1u) / vec4u(2u);': /operator \/ on vectors of u32/,
  'y[0] = 0x1p4f;': /hexadecimal floats/,
  'y[0] = u32(-1.5) + 0x.8p1;': /hexadecimal floats/,
};

const types: Readonly<Record<string, RegExp>> = {
  'y[0] = 1.5;': /f32 is given where u32 is wanted/,
  'y[0] = vec2u(1u);': /vec2<u32> is given where u32 is wanted/,
  'y[0] = x[0] + 1.5;': /u32 and f32 do not go together/,
  'y[0] = x[0] + i32(1);': /u32 and i32 do not go together/,
  'y[0] = x[0] - true;': /do not go together/,
  'y[0] = u32(true + true);': /operator \+ is not for bool/,
  'y[0] = u32(2.5 % 2.0);': /operator % on numbers of f32/,
  'y[0] = u32(2.5 & 2.0);': /operator & on numbers of f32/,
  'y[0] = -x[0];': /operator - is not for u32/,
  'y[0] = u32(!x[0]);': /operator ! is not for u32/,
  'y[0] = u32(~1.5);': /operator ~ is not for f32/,
  'y[0] = x[0] << 1.5;': /u32 is not shifted by f32/,
  'let v = vec2u(1u, 2u) + vec3u(1u);': /vec2<u32> and vec3<u32> do not go together/,
  'let v = vec4u(1u) * vec4f(1.0);': /vec4<u32> and vec4<f32> do not go together/,
  'y[0] = x[1.5];': /an index is a whole number/,
  'if (x[0]) { y[0] = 1u; }': /u32 is given where bool is wanted/,
  'while (x[0]) { y[0] = 1u; }': /u32 is given where bool is wanted/,
  'y[0] = u32(x[0] && true);': /u32 is given where bool is wanted/,
  'y[0] = select(1u, 2u, x[0]);': /not selected by u32/,
  'y[0] = select(1u, 2u, vec2<bool>()).x;': /not selected by vec2<bool>/,
  'y[0] = max(1u, 2.0);': /u32 and f32 do not go together/,
  'y[0] = u32(sin(x[0]));': /u32 is given where floats are wanted/,
  'y[0] = u32(sqrt(x[0]));': /u32 is given where floats are wanted/,
  'y[0] = u32(max(true, false));': /max is not for bool/,
  'for (var i = 0u; i < 1.5; i++) { y[0] += i; }': /f32 is given where u32 is wanted/,
  'for (var i = 0; i < x[0]; i++) { y[0] += 1u; }': /u32 is given where i32 is wanted/,
  'let a: f32 = x[0];': /u32 is given where f32 is wanted/,
  'var a = 1.0; a = x[0];': /u32 is given where f32 is wanted/,
  'x[0] = 1u;': /x is read only/,
  'let a = 1u; a = 2u;': /a cannot be assigned to/,
  'break;': /break or continue outside a loop/,
  'y[0] = x;': /not loaded as a whole|is given where u32/,
  'y[0] = x[0].a;': /has no/,
  'y = x;': /is not|array/,
  'let four = 5u; y[0] = four;': /four is already a constant of the file/,
  'let active = 5u; y[0] = active;': /active is a reserved word of WGSL; rename it/,
};

for (const [kind, table] of Object.entries({
  'statements and functions': statements,
  'wrong types': types,
})) {
  subset(`${kind} are refused with the line`, () => {
    for (const [text, words] of Object.entries(table)) {
      // The line of the body of the entry, but of what is found before it is compiled.
      refused(shader(`  y[1] = 1u;\n  ${text}`), /constant of the file/.test(words.source) ? 9 : 11, words);
    }
  });
}

const declared: Readonly<Record<string, RegExp>> = {
  'var<workgroup> w: array<u32, 4>;': /var<workgroup> is not in the subset/,
  'var<private> w = 4u;': /var<private> is not in the subset/,
  '@group(0) @binding(2) var w: texture_2d<f32>;': /var is not in the subset/,
  '@group(0) @binding(2) var<storage, read_write> w: atomic<u32>;': /type atomic is not in the subset/,
  '@group(0) @binding(2) var<storage, read_write> w: array<mat4x4f>;': /type mat4x4f? is not in the subset/,
  'fn f() -> u32 { return f(); }': /f calls itself/,
  'fn f(n: u32) -> u32 { return g(n); } fn g(n: u32) -> u32 { if (n == 0u) { return 0u; } return f(n - 1u); }':
    /f calls itself/,
  'fn f(four: u32) -> u32 { return four; }': /four is already a constant/,
  'fn f( -> u32 { return 1u; }': /./,
};

subset('declarations are refused with the line', () => {
  for (const [text, words] of Object.entries(declared))
    refused(shader('y[0] = 1u;', `// first\n${text}`), 4, words);
});

subset('the line is that in the function where it stands', () => {
  refused(
    shader('y[0] = f(1.0);', '\n\nfn f(n: u32) -> u32 { return n; }'),
    10,
    /f32 is given where u32 is wanted/,
  );
  refused(
    shader('y[0] = f(1u, 2u);', '\n\nfn f(n: u32) -> u32 { return n; }'),
    10,
    /f has 1 parameters, but is given 2/,
  );
  refused(shader('y[0] = f(1u);', '\nfn f(n: u32) -> u32 {\n return n + 1.0;\n}'), 5, /main: u32 and f32/);
  refused(shader('y[0] = f(1u);', '\nfn f(n: u32) -> f32 {\n return n;\n}'), 5, /main: u32 is given/);
  refused(
    `@compute @workgroup_size(1)\nfn main(@builtin(subgroup_size) n: u32) {\n}`,
    2,
    /n of an entry is none of/,
  );
});

const module = suite('modules');

module('hold what reflection says of every entry', async () => {
  for (const [name, source] of new Map([...shaderSources(), ...cpuTwins()])) {
    const wasm = new WebAssembly.Module((await readModule(name, false)) as Uint8Array<ArrayBuffer>);
    const [section] = WebAssembly.Module.customSections(wasm, 'kernels');
    const kernels: unknown = JSON.parse(new TextDecoder().decode(section));
    const reflected = Object.fromEntries(reflect(name, source));
    assert.equal(kernels, JSON.parse(JSON.stringify(reflected)), name);
  }
});

module('are the same for the same text', () => {
  const source = shaderSources().get('elementwise') ?? '';
  const [a, b] = [1, 2].map(() => compileShader('elementwise', source, { checked: true, builtins }));
  assert.equal(a, b);
});

module('have the library’s functions beside entries of the same name', () => {
  const wasm = wasmOf(`@group(0) @binding(0) var<storage, read_write> y: array<f32>;
    fn exp_f32(x: f32) -> f32 { return x + 1.0; }
    @compute @workgroup_size(1) fn sin_f32() { y[0] = exp(y[0]); y[1] = exp_f32(y[1]); y[2] = sin(y[2]); }`);
  const y = Float32Array.of(0, 0, 0);
  wasm.run('sin_f32', { buffers: { y } });
  assert.equal([...y], [1, 1, 0]);
});

module('trap where whole numbers are divided by zero', () => {
  const wasm = wasmOf(shader('y[0] = x[0] / x[1];'));
  assert.throws(
    () => wasm.run('main', { buffers: { x: Uint32Array.of(5, 0), y: new Uint32Array(1) } }),
    (error: Error) => error.message === 'divide by zero',
  );
});

subset.run();
module.run();
