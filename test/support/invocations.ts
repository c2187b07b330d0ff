import { uniforms } from '../../bench/data.js';
import { gridOf, type Kernel } from '../../engine/kernel.js';
import type { Launch } from './recording.js';
import { placesOf, wasmOf, type Wasm, type WasmLaunch, type Words } from './wasm.js';

/** An entry and what it is launched with. */
export interface Work extends WasmLaunch {
  readonly entry: string;
}

/** The text of a shader whose workgroups are single invocations, so that each can be run by itself. */
export const ofSingles = (source: string): string =>
  source
    .replaceAll('@workgroup_size(threads)', '@workgroup_size(1)')
    .replaceAll('groups.x * threads', 'groups.x');

const pageBytes = 65536;

/** Pages for buffers and what lies between them. */
export const pagesFor = (buffers: readonly Words[]): number =>
  2 + Math.ceil(buffers.reduce((sum, words) => sum + words.byteLength, 0) / pageBytes);

/** What was recorded, ready to be repeated: buffers by the names that the entry has for them, and by number. */
export function workOf({
  entry,
  dims,
  before,
  buffers,
}: Launch): Work & { readonly all: readonly Uint32Array[] } {
  const all = before.map((bytes) => new Uint32Array(bytes.slice().buffer));
  const named = Object.entries(buffers).map(([name, at]) => [name, all[at]] as const);
  return { entry, dims, buffers: Object.fromEntries(named), all };
}

/** Workgroups that a device would launch for `over` invocations, looping entries at most `loops`. */
export const groupsFor = (kernel: Kernel, over: readonly number[], loops = Infinity) =>
  gridOf(kernel, over, { x: Infinity, yz: Infinity, loops });

/** 0 … count − 1 in an order. */
export type Order = (count: number) => readonly number[];

const ascending: Order = (count) => Array.from({ length: count }, (_, i) => i);

/** Orders in which workgroups may run. */
export const orders: Readonly<Record<string, Order>> = {
  'one after the other': ascending,
  'the last one first': (count) => ascending(count).toReversed(),
  'in any order': (count) => {
    const random = uniforms(count);
    const keys = Float64Array.from({ length: count }, random);
    return ascending(count).toSorted((a, b) => keys[a] - keys[b]);
  },
};

const nobody = -1;
const several = -2;

/** Who loaded and who stored each word of a memory; notes the first word that two have to do with, one of them storing. */
export class Accesses {
  private readonly loaders: Int32Array;
  private readonly storers: Int32Array;
  private current = 0;
  private found: { readonly address: number; readonly what: string } | undefined;

  constructor(pages: number) {
    this.loaders = new Int32Array((pages * pageBytes) / 4).fill(nobody);
    this.storers = this.loaders.slice();
  }

  /** Hears what `who` loads and stores from here on. */
  readonly listen = (address: number, bytes: number, stores: boolean): void => {
    for (let word = address >>> 2; word < (address + bytes) >>> 2; word++) this.note(word, stores);
  };

  private note(word: number, stores: boolean): void {
    const { current } = this;
    const [loader, storer] = [this.loaders[word], this.storers[word]];
    if (storer !== nobody && storer !== current)
      this.clash(word, `${stores ? 'stores' : 'loads'} what ${storer} stored`);
    if (stores && loader !== nobody && loader !== current)
      this.clash(word, `stores what ${loader === several ? 'others' : loader} loaded`);
    if (stores) this.storers[word] = current;
    else this.loaders[word] = loader === nobody || loader === current ? current : several;
  }

  private clash(word: number, what: string): void {
    this.found ??= { address: 4 * word, what: `workgroup ${this.current} ${what}` };
  }

  /** Forgets everything. */
  reset(): void {
    this.loaders.fill(nobody);
    this.storers.fill(nobody);
    this.found = undefined;
  }

  /** Ranges of one workgroup each, in an order; accesses are its own while it runs. */
  *shares(order: readonly number[]): Generator<readonly [number, number]> {
    for (const group of order) {
      this.current = group;
      yield [group, group + 1];
    }
  }

  /** The clash, if there was one, in the words of the buffers it was in. */
  clashIn(buffers: Readonly<Record<string, Words>>): string | undefined {
    if (this.found === undefined) return undefined;
    const { address, what } = this.found;
    for (const [name, { at, words }] of placesOf(buffers)) {
      if (address >= at && address < at + words.byteLength)
        return `${what}: word ${(address - at) / 4} of ${name}`;
    }
    return `${what}: byte ${address}`;
  }
}

/** A shader whose single invocations are watched. */
export class Watched {
  readonly kernels: Wasm['kernels'];
  private readonly accesses: Accesses;
  private readonly wasm: Wasm;

  constructor(source: string, pages: number) {
    this.accesses = new Accesses(pages);
    this.wasm = wasmOf(ofSingles(source), { listener: this.accesses.listen, pages });
    ({ kernels: this.kernels } = this.wasm);
  }

  /** Runs all invocations in an order; what two of them clash in, if they do. Buffers hold the results. */
  run({ entry, groups = [1, 1, 1], ...launch }: Work, order: Order): string | undefined {
    this.accesses.reset();
    const shares = this.accesses.shares(order(groups[0] * groups[1] * groups[2]));
    this.wasm.run(entry, { ...launch, groups, shares });
    return this.accesses.clashIn(launch.buffers);
  }
}
