import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AdapterError, findAdapter, listAdapters, nullAdapter, readShader } from '../../engine/adapter.js';
import { child, dispatch, outcome, testAdapter } from '../support/adapters.js';
import { testWhen } from '../support/skip.js';

const listed = await listAdapters();
const timestamps = (await testAdapter()).adapter.features.has('timestamp-query');
const find = suite('findAdapter');

/** Registers a test that makes sense on some machines only. */
const when = (possible: boolean, because: string, name: string, body: () => Promise<void>) =>
  testWhen(possible, because, find, name, body);

find('finds an adapter of Dawn that has a name, a kind and a device', async () => {
  const found = await testAdapter();
  assert.ok(found.name.length > 0 && found.name === found.name.trim(), found.name);
  assert.ok(['gpu', 'software'].includes(found.kind));
  assert.ok(['vulkan', 'metal', 'd3d12'].includes(found.backend));
  const device = await found.adapter.requestDevice();
  device.destroy();
});

find('finds a software adapter when asked for one', async () => {
  assert.is((await findAdapter('software')).kind, 'software');
  assert.is((await findAdapter('SOFTWARE')).kind, 'software');
});

const noGpu = listed.every(({ kind }) => kind !== 'gpu');
const unnamed = { VK_ICD_FILENAMES: '', VK_DRIVER_FILES: '' };
when(noGpu, 'there is a GPU', 'takes the CPU where there is no GPU, and loads no Dawn for it', async () => {
  const { out } = await child(
    `const { name, kind } = await A.findAdapter('auto');
     console.log(kind, name, typeof GPUBufferUsage);`,
    { CTR_ADAPTER: '', ...unnamed },
  );
  assert.match(out, /^cpu CPU: .+ (undefined|object)$/);
  // Where drivers are installed, Dawn has to look at them.
  if (listed.every((one) => one.kind === 'cpu' || one.origin === 'bundled')) assert.match(out, / undefined$/);
});

find('finds the CPU when asked for it, whatever else there is', async () => {
  const { kind, name } = await findAdapter('CPU');
  assert.is(kind, 'cpu');
  assert.match(name, /^CPU: \S/);
});

find('finds every listed adapter by a part of its name in any case', async () => {
  for (const { name } of listed) {
    assert.is((await findAdapter(name.slice(1).toUpperCase())).name, name);
  }
});

find('names what there is when the choice fits none', async () => {
  const message = await outcome('voodoo');
  assert.ok(message.startsWith('AdapterError --adapter=voodoo: no such adapter, have "'), message);
  for (const { name } of listed) assert.ok(message.includes(name), `${message} names ${name}`);
  assert.ok(message.endsWith('choose auto or part of one of these names'), message);
});

when(noGpu, 'there is a GPU', 'says what to do when a GPU is asked for and there is none', async () => {
  const message = await outcome('gpu');
  assert.match(message, /^AdapterError --adapter=gpu: no GPU .*; install its Vulkan driver, or choose auto$/);
});

find('takes auto from the variable CTR_ADAPTER, and only auto', async () => {
  const named = await outcome('auto', { CTR_ADAPTER: 'voodoo' });
  assert.ok(named.startsWith('AdapterError CTR_ADAPTER=voodoo: no such adapter'), named);
  assert.not.match(await outcome('software', { CTR_ADAPTER: 'voodoo' }), /Error/);
});

find('throws AdapterError in the same process, more than once', async () => {
  for (let i = 0; i < 2; i++) {
    try {
      await findAdapter('voodoo');
      assert.unreachable();
    } catch (error) {
      assert.instance(error, AdapterError);
    }
  }
});

find('gives two devices at once, which both compute', async () => {
  const { code, out, err } = await child(`${dispatch}
    const devices = [];
    for (let i = 0; i < 2; i++) devices.push(await (await A.findAdapter('software')).adapter.requestDevice());
    console.log((await Promise.all(devices.map(squares))).join());`);
  assert.is(code, 0, err);
  assert.is(out, '3969,3969');
});

when(timestamps, 'no timestamp-query', 'counts time in steps finer than 65.536 µs', async () => {
  const { adapter } = await testAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: ['timestamp-query'] });
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const resolved = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  encoder.beginComputePass({ timestampWrites }).end();
  encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
  device.destroy();
  assert.ok(begin % 65536n !== 0n || end % 65536n !== 0n, `${begin} to ${end}`);
});

find.run();

const ending = suite('a process with a device');

ending('ends by itself with 0, time after time', async () => {
  for (let i = 0; i < 6; i++) {
    const { code, signal, out, err } = await child(`${dispatch}
      console.log(await squares(await (await A.findAdapter('software')).adapter.requestDevice()));`);
    assert.is(code, 0, `run ${i}: ${signal} ${err}`);
    assert.is(out, '3969');
  }
});

ending('ends with 0 while a read-back that nobody waits for is on its way', async () => {
  const { code, signal, err } = await child(`${dispatch}
    void squares(await (await A.findAdapter('software')).adapter.requestDevice());`);
  assert.is(code, 0, `${signal} ${err}`);
});

ending('goes on computing after its instance could have been collected', async () => {
  const { code, signal, out, err } = await child(`${dispatch}
    const device = await A.findAdapter('software').then(({ adapter }) => adapter.requestDevice());
    for (let i = 0; i < 5; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
      await squares(device);
    }
    console.log(await squares(device));`);
  assert.is(code, 0, `${signal} ${err}`);
  assert.is(out, '3969');
});

ending('keeps the exit code it is given', async () => {
  const { code } = await child(
    `await (await A.findAdapter('software')).adapter.requestDevice(); process.exit(3);`,
  );
  assert.is(code, 3);
});

ending.run();

const nothing = suite('nullAdapter');

nothing('validates shaders without executing them', async () => {
  const { adapter, backend } = await nullAdapter();
  assert.is(backend, 'null');
  const device = await adapter.requestDevice();
  device.pushErrorScope('validation');
  device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }' });
  assert.match((await device.popErrorScope())?.message ?? '', /u32/);
  device.destroy();
});

nothing.run();

const shader = suite('readShader');

shader('reads a file of shaders/ by its base name', () => {
  assert.match(readShader('fm_pairs'), /@compute/);
});

shader('names the file that is missing', () => {
  assert.throws(() => readShader('voodoo'), /shaders\/voodoo\.wgsl/);
});

shader.run();
