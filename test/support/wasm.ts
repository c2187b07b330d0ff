import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { writeDims, type Kernel } from '../../engine/kernel.js';
import { compileShader } from '../../engine/wgsl/compile.js';
import { root } from './sources.js';

/** Words of a buffer; what the kernel writes is written back to them. */
export type Words = Float32Array | Uint32Array | Int32Array;

/** One launch of an entry. */
export interface WasmLaunch {
  /** By variable name. */
  readonly buffers: Readonly<Record<string, Words>>;
  readonly dims?: Readonly<Record<string, number>>;
  /** Workgroups along x, y, z; one if absent. */
  readonly groups?: readonly [number, number, number];
  /** Ranges of workgroups, run one after the other as they are drawn; all in one if absent. */
  readonly shares?: Iterable<readonly [number, number]>;
}

/** A compiled WGSL text, without threads. */
export interface Wasm {
  readonly module: WebAssembly.Module;
  /** What the section `kernels` holds. */
  readonly kernels: Readonly<Record<string, Kernel>>;
  /** Runs an entry. Throws OutsideIndex where a checked kernel leaves a buffer, and fails if it writes beside them. */
  run(entry: string, launch: WasmLaunch): void;
}

/** What `env.fail` of a checked kernel was called with. */
export class OutsideIndex extends Error {
  constructor(
    readonly binding: number,
    readonly index: number,
  ) {
    super(`binding ${binding}, index ${index}`);
  }
}

/** Text of the library of mathematical functions. */
export const builtins = readFileSync(`${root}engine/wgsl/builtins.wgsl`, 'utf8');

type Entry = (record: number, first: number, last: number) => void;

/** Stands in all memory that no buffer has. */
const untouched = 0xdeadbeef;
const recordAt = 64;
const buffersAt = 1024;
const gapBytes = 64;

/** Hears of an access to a buffer: its first byte in memory, its length, and whether it is a store. */
export type Listener = (address: number, bytes: number, stores: boolean) => void;

export interface WasmOptions {
  readonly checked?: boolean;
  /** Hears of all accesses. */
  readonly listener?: Listener;
  /** Of 64 KiB, for all buffers together. */
  readonly pages?: number;
}

/** Compiles a WGSL text, which is called test.wgsl. */
export function wasmOf(source: string, { checked, listener, pages = 1 }: WasmOptions = {}): Wasm {
  const bytes = compileShader('test', source, { checked, traced: listener !== undefined, builtins });
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const fail = (binding: number, index: number) => {
    throw new OutsideIndex(binding, index >>> 0);
  };
  const access = (address: number, bytes: number, stores: number) => {
    listener?.(address, bytes, stores === 1);
    return address;
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, fail, access } });
  const [section] = WebAssembly.Module.customSections(module, 'kernels');
  const kernels = JSON.parse(new TextDecoder().decode(section)) as Record<string, Kernel>;
  const run = (entry: string, launch: WasmLaunch) =>
    runEntry(memory, kernels[entry], exports[entry] as Entry, launch);
  return { module, kernels, run };
}

function runEntry(memory: WebAssembly.Memory, kernel: Kernel, entry: Entry, launch: WasmLaunch): void {
  const { buffers, dims = {}, groups = [1, 1, 1] } = launch;
  const all = new Uint32Array(memory.buffer).fill(untouched);
  const places = placesOf(buffers);
  const end = Math.max(...[...places.values()].map(({ at, words }) => at + words.byteLength));
  assert.ok(end + gapBytes <= memory.buffer.byteLength, 'the buffers fit into the memory');
  for (const { at, words } of places.values()) all.set(bitsOf(words), at / 4);
  const view = new DataView(memory.buffer);
  groups.forEach((count, axis) => view.setUint32(recordAt + 4 * axis, count, true));
  all.fill(0, recordAt / 4 + 4, recordAt / 4 + 4 + (kernel.dims?.bytes ?? 0) / 4);
  writeDims(kernel, dims, view, recordAt + 16);
  const list = recordAt + 16 + (kernel.dims?.bytes ?? 0);
  kernel.storage.forEach(({ name }, i) => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`${kernel.entry}: no buffer ${name}`);
    view.setUint32(list + 8 * i, place.at, true);
    view.setUint32(list + 8 * i + 4, place.words.byteLength, true);
  });
  const before = all.slice(0, buffersAt / 4);
  const shares = launch.shares ?? [[0, groups[0] * groups[1] * groups[2]]];
  for (const [first, last] of shares) entry(recordAt, first, last);
  for (const { at, words } of new Set(places.values())) {
    bitsOf(words).set(all.subarray(at / 4, at / 4 + words.length));
    all.fill(untouched, at / 4, at / 4 + words.length);
  }
  let beside = 0;
  while (beside < all.length && all[beside] === (before[beside] ?? untouched)) beside++;
  assert.is(beside, all.length, `${kernel.entry} writes at byte ${4 * beside}, beside its buffers`);
}

const bitsOf = ({ buffer, byteOffset, length }: Words) => new Uint32Array(buffer, byteOffset, length);

interface Place {
  readonly at: number;
  readonly words: Words;
}

/** Where buffers lie in memory; two names may have one. */
export function placesOf(buffers: Readonly<Record<string, Words>>): ReadonlyMap<string, Place> {
  let end = buffersAt;
  const places = new Map<string, Place>();
  for (const [name, words] of Object.entries(buffers)) {
    const known = [...places.values()].find((place) => place.words === words);
    places.set(name, known ?? { at: end, words });
    if (known !== undefined) continue;
    end = Math.ceil((end + words.byteLength + gapBytes) / 16) * 16;
  }
  return places;
}

/** What a module asks for: `env.memory`. */
export function importsOf(module: WebAssembly.Module): string[] {
  // Missing in the types of WebAssembly that the engine declares.
  const { imports } = WebAssembly.Module as unknown as {
    imports(of: WebAssembly.Module): { module: string; name: string }[];
  };
  return imports(module)
    .map((one) => `${one.module}.${one.name}`)
    .sort();
}

/** A program over x and y, and what it writes to y, whose words are 0 before. */
export interface Program {
  /** Body of an entry of one invocation. */
  readonly text: string;
  readonly y: (x: readonly number[]) => readonly number[];
}

const arrays = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };

/** Runs every program on every x, checked and unchecked, and compares all of y. */
export function checkPrograms(
  programs: readonly Program[],
  inputs: readonly (readonly number[])[],
  {
    of = 'u32',
    declarations = '',
  }: { readonly of?: 'f32' | 'u32' | 'i32'; readonly declarations?: string } = {},
): void {
  const entries = programs.map(({ text }, i) => `@compute @workgroup_size(1) fn program${i}() {\n${text}\n}`);
  const source = `@group(0) @binding(0) var<storage, read> x: array<${of}>;
    @group(0) @binding(1) var<storage, read_write> y: array<${of}>;
    ${[declarations, ...entries].join('\n')}`;
  for (const checked of [false, true]) {
    const wasm = wasmOf(source, { checked });
    for (const input of inputs) {
      programs.forEach((program, i) => {
        const expected = new arrays[of](20);
        expected.set(program.y(input));
        const y = new arrays[of](20);
        const { storage } = wasm.kernels[`program${i}`];
        const buffers = { y, ...(storage.some(({ name }) => name === 'x') && { x: arrays[of].from(input) }) };
        wasm.run(`program${i}`, { buffers });
        assert.equal([...y], [...expected], `${program.text} of ${input.join(', ')}`);
      });
    }
  }
}
