import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { detectRaces } from 'wgsl_reflect/wgsl_reflect.module.js';
import { reflect } from '../../engine/reflect.js';
import { shaderSources } from '../support/sources.js';

/** A toy launch: workgroups, and what lies at each binding (uniforms as `{ uniform }`). */
interface Launch {
  readonly shader: string;
  readonly workgroups: readonly [number, number, number];
  readonly buffers: Readonly<Record<number, Uint32Array | Float32Array | { uniform: Uint32Array }>>;
}

/**
 * Launches of every entry whose invocations share memory, at toy sizes. There are none: on software adapters barriers
 * cost ten times what registers do, so sums of many rows are made in two dispatches instead. Invocations that share
 * buffers alone are watched in wgsl/invocations.test.ts.
 */
const launches: Readonly<Record<string, Launch>> = {};

/** Functions of a source that are called, directly or not, from `entry`. */
function reached(source: string, entry: string): string {
  const bodies = new Map(
    [...source.matchAll(/\bfn\s+(\w+)[^{]*\{[\s\S]*?\n\}/g)].map(([text, name]) => [name, text]),
  );
  const seen = new Set<string>();
  const visit = (name: string) => {
    const body = bodies.get(name);
    if (body === undefined || seen.has(name)) return;
    seen.add(name);
    for (const [, called] of body.matchAll(/\b(\w+)\s*\(/g)) visit(called);
  };
  visit(entry);
  return [...seen].map((name) => bodies.get(name)).join('\n');
}

/** Entries that share memory between invocations: by barriers, or by workgroup variables that want one. */
function sharing(source: string): string[] {
  const variables = [...source.matchAll(/var<workgroup>\s+(\w+)/g)].map(([, name]) => name);
  const words = ['workgroupBarrier', 'storageBarrier', 'workgroupUniformLoad', 'atomic\\w+', ...variables];
  const shared = new RegExp(`\\b(${words.join('|')})\\b`);
  return [...reflect('source', source).keys()].filter((entry) => shared.test(reached(source, entry)));
}

const races = (source: string, entry: string, { workgroups, buffers }: Omit<Launch, 'shader'>) => {
  const found = detectRaces(source, entry, [...workgroups], { 0: { ...buffers } });
  assert.equal(found.errors, []);
  return found.races.map(({ message }) => message);
};

/** Sums 64 floats; `barrier` stands where each half was added. */
const tree = (barrier: string) => `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<workgroup> part: array<f32, 64>;

fn put(i: u32, value: f32) {
  part[i] = value;
}

@compute @workgroup_size(64)
fn tree(@builtin(local_invocation_index) i: u32) {
  put(i, x[i]);
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (i < half) {
      put(i, part[i] + part[i + half]);
    }
    ${barrier}
  }
  if (i == 0u) {
    y[0] = part[0];
  }
}

@compute @workgroup_size(64)
fn alone(@builtin(local_invocation_index) i: u32) {
  y[i] = x[i];
}
`;

const checker = suite('the race check');
const buffers = { 0: Float32Array.from({ length: 64 }, (_, i) => i), 1: new Float32Array(64) };
const launch = { workgroups: [1, 1, 1] as const, buffers };

checker('finds a race where a barrier is missing', () => {
  assert.ok(races(tree(''), 'tree', launch).length > 0);
});

checker('finds none where it is there, and runs the kernel', () => {
  buffers[1].fill(0);
  assert.equal(races(tree('workgroupBarrier();'), 'tree', launch), []);
});

checker('finds two invocations that write one place', () => {
  const source = `@group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(4) fn clash(@builtin(local_invocation_index) i: u32) { y[i / 2u] = f32(i); }`;
  assert.ok(
    races(source, 'clash', { workgroups: [1, 1, 1], buffers: { 1: new Float32Array(4) } }).length > 0,
  );
});

checker('knows which entries share memory, also through a function', () => {
  assert.equal(sharing(tree('workgroupBarrier();')), ['tree']);
  assert.equal(sharing(tree('').replace('workgroupBarrier();', '')), ['tree']);
});

const shaders = suite('kernels with barriers');
const found = [...shaderSources()].flatMap(([name, source]) =>
  sharing(source).map((entry) => `${name}.wgsl: ${entry}`),
);

shaders('are exactly those that are checked for races', () => {
  assert.equal(
    found,
    Object.entries(launches).map(([entry, { shader }]) => `${shader}.wgsl: ${entry}`),
  );
});

for (const [entry, one] of Object.entries(launches)) {
  shaders(`${entry} has no race`, () => {
    assert.equal(races(shaderSources().get(one.shader) ?? '', entry, one), []);
  });
}

checker.run();
shaders.run();
