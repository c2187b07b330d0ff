import binaryen from 'binaryen';
import type { Kernel } from '../../engine/index.js';

/** Hand-made kernels in WebAssembly's text, by entry, as the compiler would note them. */
const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  (
    [
      ['add_one', ['y']],
      ['who', ['y']],
      ['trap', ['y']],
      ['divide', ['y']],
      ['outside', ['y']],
      ['slow', ['y']],
    ] as const
  ).map(([entry, names]) => [
    entry,
    {
      shader: 'hand_made',
      entry,
      workgroup: [4, 1, 1],
      loops: false,
      storage: names.map((name, binding) => ({ name, binding: binding + 1, writable: true, bytes: 4 })),
      dims: { binding: 0, bytes: 16, members: [{ name: 'step', offset: 0, type: 'u32' }] },
      overrides: [],
    },
  ]),
);

/** Loops over the u32 words of a share of workgroups of four: $at is the byte of each, $i its index. */
const overWords = (name: string, body: string) => `
  (func (export "${name}") (param $record i32) (param $first i32) (param $last i32)
    (local $i i32) (local $end i32) (local $at i32)
    (local.set $i (i32.shl (local.get $first) (i32.const 2)))
    (local.set $end (i32.shl (local.get $last) (i32.const 2)))
    (loop $next
      (local.set $at (i32.add (i32.load offset=32 (local.get $record)) (i32.shl (local.get $i) (i32.const 2))))
      ${body}
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $end)))))`;

const text = `(module
  (import "env" "memory" (memory $memory (shared 1 65536)))
  (import "env" "fail" (func $fail (param i32) (param i32)))
  ${overWords(
    'add_one',
    '(i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.load offset=16 (local.get $record))))',
  )}
  ${overWords(
    'who',
    '(i32.store (local.get $at) (i32.add (i32.mul (i32.load (local.get $at)) (i32.const 3)) (local.get $i)))',
  )}
  ${overWords('trap', '(if (i32.eq (local.get $i) (i32.const 5)) (then (unreachable)))')}
  ${overWords('divide', '(i32.store (local.get $at) (i32.div_u (i32.const 1) (i32.load (local.get $at))))')}
  ${overWords('outside', '(if (i32.eq (local.get $i) (i32.const 9)) (then (call $fail (i32.const 1) (i32.const 77))))')}
  ${overWords(
    'slow',
    `(local.set $first (i32.load offset=16 (local.get $record)))
     (loop $again
       (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
       (local.set $first (i32.sub (local.get $first) (i32.const 1)))
       (br_if $again (local.get $first)))`,
  )})`;

/**
 * The module "hand_made", whose entries work on y: array<u32> in workgroups of four, with dims.step: `add_one` adds
 * step; `who` makes y = 3y + index; `trap` and `outside` fail at word 5 and 9; `divide` makes y = 1 / y; `slow` adds
 * step to y by ones.
 */
export function handMade(): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  module.addCustomSection('kernels', new TextEncoder().encode(JSON.stringify(kernels)));
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
