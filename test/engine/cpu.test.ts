import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readModule } from '../../engine/adapter.js';
import { makeControl } from '../../engine/cpu/control.js';
import { CpuDevice } from '../../engine/cpu/cpu.js';
import { LinearMemory } from '../../engine/cpu/memory.js';
import { openCpu, startThreads } from '../../engine/cpu/open.js';
import {
  DeviceError,
  KernelError,
  type Command,
  type Device,
  type DeviceBuffer,
} from '../../engine/index.js';
import { handMade } from '../support/cpu_modules.js';

const module = handMade();
const readHandMade = async (name: string) => {
  if (name === 'hand_made') return module;
  return readModule(name, true);
};

/** A device that shares even the smallest command among its threads. */
const open = (threads: number) => openCpu({ threads, readModule: readHandMade, smallNs: 0 });

/** A command over the words of y: see handMade(). */
async function command(on: Device, entry: string, y: DeviceBuffer, step = 1): Promise<Command> {
  const spec = {
    label: entry,
    shader: 'hand_made',
    entry,
    buffers: { y },
    dims: { step },
    over: [y.bytes / 4],
  };
  const [made] = await on.commands([spec]);
  return made;
}

async function rejection(made: () => unknown): Promise<Error> {
  try {
    await made();
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('it did not fail') as never;
}

const words = async (on: Device, y: DeviceBuffer) => new Uint32Array(await on.download(y));

const work = suite('a device on the CPU');

work('gives the same bits with any number of threads', async () => {
  const results: string[] = [];
  for (const threads of [1, 2, 3, 7]) {
    const device = await open(threads);
    assert.match(device.name, new RegExp(`^CPU: .+, ${threads} threads?$`));
    const y = device.buffer('y', 4 * 1003);
    const [who, add] = [await command(device, 'who', y), await command(device, 'add_one', y, 5)];
    device.run([who, add, who], 4);
    const [x, z] = [device.buffer('x', 4 * 2003), device.buffer('z', 4 * 2003)];
    device.upload(
      x,
      Float32Array.from({ length: 2003 }, (_, i) => Math.sin(i)),
    );
    const dims = { quads: 501, factor: 1.7 };
    const spec = { label: 's', shader: 'elementwise', entry: 'scale_forward', dims, over: [501] };
    device.run(await device.commands([{ ...spec, buffers: { x, y: z } }]), 1);
    results.push([...(await words(device, y)), ...(await words(device, z))].join());
    device.destroy();
  }
  assert.is(new Set(results).size, 1);
  assert.ok(results[0].startsWith('12300,'), results[0].slice(0, 20));
});

work('keeps uploads, runs and downloads in their order while there is work', async () => {
  const device = await open(2);
  const y = device.buffer('y', 64);
  const slow = await command(device, 'slow', y, 3_000_000);
  const reader = device.reader(y, 8, 3);
  device.run([slow], 1);
  const early = reader.read();
  device.upload(y, Uint32Array.of(10), 4);
  const uploaded = reader.read();
  device.run([slow], 1);
  const late = reader.read();
  const tooMany = await rejection(() => reader.read());
  assert.match(tooMany.message, 'y: more than 3 reads at once; await the first');
  device.upload(y, Uint32Array.of(1, 1));
  const seen = (await Promise.all([early, uploaded, late])).map((bytes) => [...new Uint32Array(bytes)]);
  assert.equal(seen, [
    [3e6, 3e6],
    [3e6, 10],
    [6e6, 3e6 + 10],
  ]);
  assert.equal([...(await words(device, y)).slice(0, 2)], [1, 1]);
  device.destroy();
});

work('gives zeroed memory, also where other memory was, and while that is worked on', async () => {
  const device = await open(2);
  const first = device.buffer('first', 4096);
  const slow = await command(device, 'slow', first, 100_000);
  device.run([slow], 1);
  device.release(first);
  const second = device.buffer('second', 4096);
  assert.is((second as { address?: number }).address, (first as { address?: number }).address);
  assert.ok((await words(device, second)).every((word) => word === 0));
  device.upload(second, Uint32Array.of(1, 2, 3));
  device.release(second);
  assert.ok((await words(device, device.buffer('third', 64))).every((word) => word === 0));
  device.destroy();
});

work('times every command', async () => {
  const device = await open(2);
  const y = device.buffer('y', 4096);
  const [slow, add] = [await command(device, 'slow', y, 20_000), await command(device, 'add_one', y)];
  const times = (await device.profile([slow, add, slow])) ?? [];
  assert.equal(
    times.map((time) => time.command.label),
    ['slow', 'add_one', 'slow'],
  );
  assert.is(times[0].startNs, 0);
  const stamps = times.flatMap(({ startNs, endNs }) => [startNs, endNs]);
  assert.equal(
    stamps,
    [...stamps].sort((a, b) => a - b),
  );
  assert.ok(times[2].endNs - times[2].startNs > 10 * (times[1].endNs - times[1].startNs));
  assert.is((await words(device, y))[5], 40_001);
  device.destroy();
});

work('uses no more memory however often plans come and go', async () => {
  const memory = new LinearMemory('CPU');
  const setup = { memory: memory.memory, control: makeControl(2), threads: 2, spinMs: 0, smallNs: 0 };
  const threads = startThreads(setup);
  const device = new CpuDevice({ name: 'CPU', memory, threads, threadCount: 2, readModule: readHandMade });
  let bytes = 0;
  for (let round = 0; round < 20; round++) {
    const buffers = [1e5, 3e5, 2e5].map((size, i) => device.buffer(`b${i}`, size));
    const commands = await Promise.all(buffers.map((buffer) => command(device, 'add_one', buffer)));
    device.run(commands, 2);
    device.releaseCommands(commands);
    for (const buffer of buffers) device.release(buffer);
    if (round === 0) bytes = memory.bytes().length;
  }
  await device.settled();
  assert.is(memory.bytes().length, bytes);
  device.destroy();
});

const failing = suite('a device on the CPU that fails');

failing('names the command of a trap, in the next call and ever after', async () => {
  for (const [entry, what] of [
    ['trap', /unreachable/],
    ['divide', /divide by zero/],
  ] as const) {
    const device = await open(2);
    const y = device.buffer('y', 4000);
    const [bad, good] = [await command(device, entry, y), await command(device, 'add_one', y)];
    device.run([bad, good], 3);
    const error = await rejection(() => device.settled());
    assert.instance(error, DeviceError);
    assert.match(error.message, what);
    assert.match(error.message, `${device.name}: ${entry}: ${entry} of hand_made.wgsl: `);
    const later = [
      () => device.run([good], 1),
      () => device.download(y),
      () => device.buffer('more', 16),
      () => device.commands([]),
      () => device.profile([good]),
      () => device.upload(y, Uint32Array.of(1)),
    ];
    for (const call of later) assert.is((await rejection(call)).message, error.message);
    device.destroy();
  }
});

failing('names variable, buffer, index and size where a checked kernel is stopped', async () => {
  const device = await open(3);
  const y = device.buffer('table', 4000);
  const bad = await command(device, 'outside', y);
  device.run([bad], 1);
  const { message } = await rejection(() => device.download(y));
  assert.is(
    message,
    `${device.name}: outside: outside of hand_made.wgsl: index 77 is outside "y" (table, 4000 bytes)`,
  );
  device.destroy();
});

failing('refuses more than 4 GiB, with what is asked for, what there is and what is used', async () => {
  const device = await open(1);
  const small = device.buffer('small', 2 ** 20);
  const { message } = await rejection(() => device.buffer('table', 2 ** 32 - 2 ** 18));
  assert.is(
    message,
    `table: needs ${2 ** 32 - 2 ** 18} bytes, but of the ${2 ** 32} that WebAssembly addresses ${2 ** 20} are in ` +
      `use on ${device.name}; use a smaller batch or table, or another adapter`,
  );
  device.release(small);
  device.destroy();
});

failing('reaches the last byte that it does not refuse', async () => {
  const device = await open(1);
  const [low, high] = [device.buffer('low', 2 ** 32 - 2 ** 20), device.buffer('high', 1024)];
  device.upload(high, Uint32Array.of(7), 1020);
  device.run([await command(device, 'add_one', high)], 1);
  assert.is((await words(device, high))[255], 8);
  device.release(low);
  device.destroy();
});

failing('refuses modules and entries that there are not', async () => {
  const device = await open(1);
  const y = device.buffer('y', 16);
  const spec = { label: 'l', shader: 'voodoo', entry: 'e', buffers: { y }, dims: {}, over: [1] };
  const absent = await rejection(() => device.commands([spec]));
  assert.instance(absent, KernelError);
  assert.match(absent.message, /^voodoo\.wasm: cannot be read: .+; run npm run build$/);
  const entry = await rejection(() => device.commands([{ ...spec, shader: 'hand_made' }]));
  assert.match(entry.message, /^hand_made\.wgsl: has no entry "e"; have "add_one, /);
  const threads = await rejection(() => open(0));
  assert.is(threads.message, 'CPU: 0 threads; give a whole number of 1 … 1024');
  device.destroy();
});

failing('is lost when a thread dies, and nobody waits for ever', async () => {
  const memory = new LinearMemory('CPU');
  const setup = { memory: memory.memory, control: makeControl(3), threads: 3, spinMs: 0, smallNs: 0 };
  const threads = startThreads(setup);
  const device = new CpuDevice({ name: 'CPU', memory, threads, threadCount: 3, readModule: readHandMade });
  const y = device.buffer('y', 4000);
  const add = await command(device, 'add_one', y);
  device.run([add], 1);
  await device.settled();
  // A definition that no thread can use; helpers find it when a new kernel is run.
  threads.define({ kind: 'define', module: undefined as never, first: 1000, entries: ['x'] });
  device.run([add], 1);
  const error = await rejection(() => device.settled());
  assert.instance(error, DeviceError);
  assert.match(error.message, /^CPU: device lost \(a thread has ended\): /);
  assert.is((await rejection(() => device.run([add], 1))).message, error.message);
});

failing('says so when it is used after destroy(), also to who waits, and lets memory go', async () => {
  const device = await open(2);
  const y = device.buffer('y', 4000);
  const slow = await command(device, 'slow', y, 1e6);
  device.run([slow], 1);
  const waiting = device.settled();
  device.destroy();
  const expected = `${device.name}: the device was destroyed; open another`;
  assert.is((await rejection(() => waiting)).message, expected);
  assert.is((await rejection(() => device.run([slow], 1))).message, expected);
  assert.is((await rejection(() => device.download(y))).message, expected);
  device.release(y);
  device.releaseCommands([slow]);
  device.destroy();
});

work.run();
failing.run();
