import { handWritten } from './hand_written.js';
import type { Candidate } from './measure.js';

/**
 * Makes what a kernel of the CPU target is compared with, thread against thread: work of its kind, written by hand. It
 * runs where it is submitted.
 */
export type Roof = () => Candidate;

/** Rows, inner and columns of the product: panels that stay in the caches. */
const [rows, inner, cols] = [4000, 256, 256];
/** Rows and columns of a tile, and tiles that take one panel after the other, as in linear.wgsl. */
const tile = { rows: 5, cols: 8 };
const tilesTogether = 64;
const floatBytes = 4;
/** Bytes of a gathered row. */
const rowBytes = 64;

/** Memory of its own for what is read: all pages that were never written are one and the same, which no cache loses. */
function write(memory: WebAssembly.Memory, bytes: number): void {
  // Floats about 0.75: products of very small ones would take a hundred times as long.
  new Uint8Array(memory.buffer, 0, bytes).fill(0x3f);
}

function repeated(once: () => void): Candidate['submit'] {
  return (times) => {
    for (let time = 0; time < times; time++) once();
  };
}

/** A product of matrices, packed beforehand, in tiles. */
export const productRoof: Roof = () => {
  const [a, p, y] = [rows * inner, cols * inner, rows * cols].map((count) => floatBytes * count);
  const { run, memory } = handWritten(a + p + y);
  write(memory, a + p);
  const submit = repeated(() => {
    for (let row = 0; row < rows; row += tile.rows * tilesTogether) {
      const tiles = Math.min(tilesTogether, (rows - row) / tile.rows);
      for (let col = 0; col < cols; col += tile.cols) {
        const to = a + p + floatBytes * (row * cols + col);
        run.product(
          floatBytes * row * inner,
          a + floatBytes * col * inner,
          to,
          floatBytes * cols,
          inner,
          tiles,
        );
      }
    }
  });
  const shape = `[${rows},${inner}] × [${cols},${inner}]`;
  return { name: 'product', shape, bytes: a + p + y, flops: 2 * rows * inner * cols, submit };
};

/** A copy of `bytes`, a multiple of 128. */
export const copyRoof =
  (bytes: number): Roof =>
  () => {
    const { run, memory } = handWritten(2 * bytes);
    write(memory, bytes);
    const submit = repeated(() => run.copy(0, bytes, bytes));
    return { name: 'copy', shape: `${bytes} bytes`, bytes: 2 * bytes, flops: 0, submit };
  };

/** Rows of 64 bytes of a table of `tableRows`, by ids. */
export const gatherRoof =
  (ids: Uint32Array, tableRows: number): Roof =>
  () => {
    const [from, to] = [tableRows * rowBytes, tableRows * rowBytes + ids.byteLength];
    const { run, memory } = handWritten(to + ids.length * rowBytes);
    write(memory, from);
    new Uint32Array(memory.buffer, from, ids.length).set(ids);
    const submit = repeated(() => run.gather(0, from, to, ids.length));
    const bytes = ids.byteLength + 2 * ids.length * rowBytes;
    return { name: 'gather', shape: `[${ids.length}] of [${tableRows},16]`, bytes, flops: 0, submit };
  };
