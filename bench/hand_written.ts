import binaryen from 'binaryen';

/** Rows × columns of the tile of the product. */
const tile = { rows: 5, cols: 8 } as const;
/** Rounds of its loop in one turn. */
const unrolled = 16;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const get = (name: string) => `(local.get $${name})`;
const set = (name: string, value: string) => `(local.set $${name} ${value})`;
const add = (name: string, by: number | string) =>
  set(name, `(i32.add ${get(name)} ${typeof by === 'number' ? `(i32.const ${by})` : by})`);
const leaveIf = (condition: string) => `(br_if $leave ${condition})`;

const sums = range(tile.rows).flatMap((row) => [`left${row}`, `right${row}`]);

/** A row of a round: its element in all lanes, times the eight columns. */
const multiplyRow = (row: number) =>
  [
    set('x', `(v128.load32_splat offset=${4 * row} ${get('a')})`),
    ...['left', 'right'].map((side) =>
      set(`${side}${row}`, `(f32x4.add ${get(`${side}${row}`)} (f32x4.mul ${get('x')} ${get(side)}))`),
    ),
  ].join(' ');

/**
 * One of the rounds of a turn. V8 loads whatever a block needs at its beginning: tests that are never true end blocks, so
 * that it has registers enough.
 */
function round(at: number): string {
  const never = (which: number) => leaveIf(`(i32.eq ${get('rounds')} (i32.const ${-1 - 2 * at - which}))`);
  return [
    at === 0 ? '' : leaveIf(`(i32.le_u ${get('rounds')} (i32.const ${at}))`),
    set('left', `(v128.load offset=${32 * at} ${get('p')})`),
    set('right', `(v128.load offset=${32 * at + 16} ${get('p')})`),
    ...range(tile.rows).map((row) => (row === 2 || row === 4 ? never(row / 2 - 1) : '') + multiplyRow(row)),
    add('a', 4 * tile.rows),
  ].join('\n');
}

/**
 * y [5 · tiles,·] = a · p for one panel of eight columns: a [tiles][inner][5], p [inner][8], rows of y `stride` bytes
 * apart.
 */
const product = `(func (export "product")
  (param $a i32) (param $panel i32) (param $y i32) (param $stride i32) (param $inner i32) (param $tiles i32)
  (local $p i32) (local $rounds i32) (local $x v128) (local $left v128) (local $right v128)
  ${sums.map((name) => `(local $${name} v128)`).join(' ')}
  (loop $tile
    ${sums.map((name) => set(name, '(v128.const i32x4 0 0 0 0)')).join(' ')}
    ${set('p', get('panel'))} ${set('rounds', get('inner'))}
    (block $leave (loop $turn
      ${range(unrolled).map(round).join('\n')}
      ${add('p', 32 * unrolled)}
      ${leaveIf(`(i32.le_u ${get('rounds')} (i32.const ${unrolled}))`)}
      ${add('rounds', -unrolled)} (br $turn)))
    ${range(tile.rows)
      .map(
        (
          row,
        ) => `(v128.store ${get('y')} ${get(`left${row}`)}) (v128.store offset=16 ${get('y')} ${get(`right${row}`)})
      ${add('y', get('stride'))}`,
      )
      .join(' ')}
    ${add('tiles', -1)} (br_if $tile ${get('tiles')})))`;

/** Vec4s that one turn of a copy moves, and bytes of a gathered row. */
const copied = 8;
const rowBytes = 64;

const move = (from: string, vec4s: number) =>
  range(vec4s)
    .map((i) => `(v128.store offset=${16 * i} ${get('y')} (v128.load offset=${16 * i} ${get(from)}))`)
    .join('\n');

/** y = x, both of `bytes`, a multiple of 128. */
const copy = `(func (export "copy") (param $x i32) (param $y i32) (param $bytes i32)
  (loop $turn
    ${move('x', copied)}
    ${add('x', 16 * copied)} ${add('y', 16 * copied)} ${add('bytes', -16 * copied)}
    (br_if $turn ${get('bytes')})))`;

/** y[i] = table[ids[i]] in rows of 64 bytes. */
const gather = `(func (export "gather") (param $table i32) (param $ids i32) (param $y i32) (param $count i32)
  (local $row i32)
  (loop $next
    ${set('row', `(i32.add ${get('table')} (i32.mul (i32.load ${get('ids')}) (i32.const ${rowBytes})))`)}
    ${move('row', rowBytes / 16)}
    ${add('ids', 4)} ${add('y', rowBytes)} ${add('count', -1)}
    (br_if $next ${get('count')})))`;

/** The loops as they are called. Addresses and lengths are bytes. */
interface Loops {
  product(a: number, panel: number, y: number, stride: number, inner: number, tiles: number): void;
  copy(x: number, y: number, bytes: number): void;
  gather(table: number, ids: number, y: number, count: number): void;
}

/** Loops written by hand in WebAssembly, and what they work on: how fast one thread of the CPU target can be. */
export interface HandWritten {
  readonly run: Loops;
  readonly memory: WebAssembly.Memory;
}

/** Builds the loops with a memory of `bytes`, of the kind that kernels have. */
export function handWritten(bytes: number): HandWritten {
  const text = `(module (import "env" "memory" (memory $memory (shared 1 65536))) ${product} ${copy} ${gather})`;
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.Atomics | binaryen.Features.SIMD128);
  const compiled = new WebAssembly.Module(module.emitBinary() as Uint8Array<ArrayBuffer>);
  module.dispose();
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // The text above exports these.
  return { run: exports as unknown as Loops, memory };
}
