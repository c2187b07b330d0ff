import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Allocator } from '../../engine/cpu/allocator.js';
import { numbers } from '../support/numbers.js';

const allocator = suite('Allocator');

const addresses = (from: Allocator, ...bytes: number[]) => bytes.map((size) => from.allocate(size)?.address);

allocator('hands out whole cache lines, one after the other', () => {
  const memory = new Allocator(100, 1000);
  assert.equal(addresses(memory, 1, 64, 65, 0), [128, 192, 256, 384]);
  assert.is(memory.usedBytes, 64 + 64 + 128 + 64);
  assert.is(memory.end, 448);
});

allocator('refuses what does not fit, and only that', () => {
  const memory = new Allocator(0, 256);
  assert.is(memory.allocate(257), undefined);
  assert.equal(memory.allocate(256), { address: 0, bytes: 256 });
  assert.is(memory.allocate(1), undefined);
});

allocator('fills the smallest hole that is large enough', () => {
  const memory = new Allocator(0, 4096);
  const [, large, , small] = addresses(memory, 64, 256, 64, 128, 64);
  memory.release(large as number);
  memory.release(small as number);
  assert.equal(addresses(memory, 100, 200, 100), [small, large, 576]);
});

allocator('joins holes with their neighbours on either side', () => {
  const memory = new Allocator(0, 1024);
  const [a, b, c] = addresses(memory, 64, 64, 64, 64) as number[];
  for (const address of [a, c, b]) memory.release(address);
  assert.is(memory.allocate(192)?.address, a);
});

allocator('grows a hole at the end', () => {
  const memory = new Allocator(0, 512);
  const [, last] = addresses(memory, 256, 128) as number[];
  memory.release(last);
  assert.is(memory.allocate(256)?.address, 256);
  assert.is(memory.end, 512);
});

allocator('takes a piece back once', () => {
  const memory = new Allocator(0, 1024);
  const [a] = addresses(memory, 64) as number[];
  memory.release(a);
  memory.release(a);
  memory.release(999);
  assert.is(memory.usedBytes, 0);
  assert.equal(addresses(memory, 64, 64), [0, 64]);
});

allocator('never hands out a byte twice, whatever the order', () => {
  const memory = new Allocator(64, 1 << 20);
  const draws = numbers(3);
  const below = (limit: number) => Math.floor(Math.abs(draws([1])[0]) * 1e6) % limit;
  const live: { address: number; bytes: number }[] = [];
  for (let i = 0; i < 2000; i++) {
    if (live.length > 40 || below(2) === 0) {
      const [gone] = live.splice(below(live.length), 1);
      if (gone) memory.release(gone.address);
      continue;
    }
    const piece = memory.allocate(below(5000));
    assert.ok(piece);
    const clash = live.some(
      (other) => piece.address < other.address + other.bytes && other.address < piece.address + piece.bytes,
    );
    assert.not.ok(clash, `${piece.address}`);
    live.push(piece);
  }
  assert.is(
    memory.usedBytes,
    live.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const { address } of live) memory.release(address);
  const all = memory.end - 64;
  assert.equal(memory.allocate(all), { address: 64, bytes: all });
});

allocator.run();
