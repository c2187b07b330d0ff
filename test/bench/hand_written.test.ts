import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { handWritten } from '../../bench/hand_written.js';
import { copyRoof, gatherRoof, productRoof } from '../../bench/roofs.js';

const loops = suite('loops written by hand');

loops('multiply tiles of five rows by panels of eight columns, of any length', () => {
  for (const inner of [1, 15, 16, 17, 40]) {
    const [tiles, cols] = [3, 16];
    const [a, p] = [5 * tiles * inner, cols * inner];
    const { run, memory } = handWritten(4 * (a + p + 5 * tiles * cols));
    const all = new Float32Array(memory.buffer);
    for (let i = 0; i < a + p; i++) all[i] = (i * i) % 11;
    for (let col = 0; col < cols; col += 8) {
      run.product(0, 4 * (a + col * inner), 4 * (a + p + col), 4 * cols, inner, tiles);
    }
    const left = (row: number, k: number) => all[5 * inner * Math.floor(row / 5) + 5 * k + (row % 5)];
    const right = (k: number, col: number) => all[a + 8 * inner * Math.floor(col / 8) + 8 * k + (col % 8)];
    const wanted = Array.from({ length: 5 * tiles * cols }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += left(Math.floor(i / cols), k) * right(k, i % cols);
      return sum;
    });
    assert.equal([...all.subarray(a + p, a + p + wanted.length)], wanted);
  }
});

loops('copy bytes and gather rows', () => {
  const { run, memory } = handWritten(4096);
  const words = new Uint32Array(memory.buffer).map((_, i) => (i < 64 ? i + 1 : 0));
  new Uint32Array(memory.buffer).set(words);
  run.copy(0, 1024, 256);
  assert.equal([...new Uint32Array(memory.buffer, 1024, 65)], [...words.subarray(0, 64), 0]);
  new Uint32Array(memory.buffer, 2048, 3).set([2, 0, 2]);
  run.gather(0, 2048, 3072, 3);
  const row = (id: number) => [...words.subarray(16 * id, 16 * id + 16)];
  assert.equal([...new Uint32Array(memory.buffer, 3072, 49)], [...row(2), ...row(0), ...row(2), 0]);
});

loops('stay inside the memory of their roofs', () => {
  for (const roof of [productRoof, copyRoof(256), gatherRoof(Uint32Array.of(3, 0, 2), 4)]) {
    const { bytes, submit } = roof();
    assert.ok(bytes > 0);
    submit(2);
  }
});

loops.run();
