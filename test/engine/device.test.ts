import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, KernelError, type CommandSpec, type Device } from '../../engine/index.js';
import { countedDevice } from '../support/counted.js';
import { testDevice } from '../support/device.js';

const device = await testDevice();
const floats = (...values: number[]) => Float32Array.from(values);

/** The error of `made`; fails if there is none. */
async function rejection(made: () => unknown): Promise<Error> {
  try {
    await made();
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable('it did not fail') as never;
}

/** y = factor · x over 8 floats, with its buffers. */
function scaling(on: Device, change: Partial<CommandSpec> = {}) {
  const [x, y] = [on.buffer('x', 32), on.buffer('y', 32)];
  const dims = { quads: 2, factor: 3 };
  const spec: CommandSpec = {
    label: 'scaling',
    shader: 'elementwise',
    entry: 'scale_forward',
    buffers: { x, y },
    dims,
    over: [2],
    ...change,
  };
  return { x, y, spec };
}

/** Runs y = 3x on a device and reads y back. */
async function tripled(on: Device, values: Float32Array): Promise<number[]> {
  const { x, y, spec } = scaling(on);
  const commands = await on.commands([spec]);
  on.upload(x, values);
  on.run(commands, 1);
  return [...new Float32Array(await on.download(y))];
}

const memory = suite('Device memory');

memory('starts as zeros, takes words at an offset and gives them back', async () => {
  const buffer = device.buffer('words', 20);
  assert.is(buffer.bytes, 32, 'whole vec4s');
  device.upload(buffer, Uint32Array.of(7, 8), 8);
  device.upload(buffer, floats(1), 28);
  assert.equal([...new Uint32Array(await device.download(buffer))], [0, 0, 7, 8, 0, 0, 0, 0x3f800000]);
  device.release(buffer);
});

memory('refuses what does not fit, with both sizes', async () => {
  const { bindingBytes } = device.limits;
  const large = await rejection(() => device.buffer('large', bindingBytes + 1));
  assert.instance(large, DeviceError);
  assert.match(large.message, `large: needs ${bindingBytes + 16} bytes, but ${device.name} binds at most`);
  const small = device.buffer('small', 16);
  const upload = await rejection(() => device.upload(small, floats(1, 2, 3), 8));
  assert.is(upload.message, 'small: 20 bytes do not fit into 16');
});

memory('is ordered: what runs before an upload sees the old words, what runs after it the new', async () => {
  const { x, y, spec } = scaling(device);
  const commands = await device.commands([spec]);
  const reader = device.reader(y, 32, 2);
  const reads: Promise<ArrayBuffer>[] = [];
  for (const value of [1, 5]) {
    device.upload(x, new Float32Array(8).fill(value));
    device.run(commands, 1);
    reads.push(reader.read());
  }
  device.upload(x, new Float32Array(8).fill(9));
  const read = (await Promise.all(reads)).map((bytes) => new Float32Array(bytes)[7]);
  assert.equal(read, [3, 15]);
  reader.release();
  device.releaseCommands(commands);
});

const commands = suite('Device.commands');

commands('gives the line and column of a WGSL error', async () => {
  const broken = 'const one = 1u;\n@compute @workgroup_size(1) fn broken() {\n  let x: f32 = one;\n}\n';
  const { device: own } = await countedDevice({ broken });
  const spec = { label: 'broken', shader: 'broken', entry: 'broken', buffers: {}, dims: {}, over: [1] };
  const error = await rejection(() => own.commands([spec]));
  assert.instance(error, KernelError);
  assert.match(error.message, /^broken\.wgsl:3:\d+: .*f32/);
  own.destroy();
});

commands('says which shader cannot be read', async () => {
  const error = await rejection(() => device.commands([scaling(device, { shader: 'no_such_op' }).spec]));
  assert.instance(error, KernelError);
  assert.match(error.message, /^no_such_op\.(wgsl|wasm): cannot be read: /);
});

commands('names entries, buffers and dims that a shader does not have', async () => {
  const attempt = (change: Partial<CommandSpec>) =>
    rejection(() => device.commands([scaling(device, change).spec]));
  const { x, y } = scaling(device);
  assert.match(
    (await attempt({ entry: 'scale' })).message,
    /^elementwise\.wgsl: has no entry "scale"; have "add_f/,
  );
  assert.is(
    (await attempt({ buffers: { x } })).message,
    'scale_forward: elementwise.wgsl binds "x, y", but run() gave "x"',
  );
  assert.is(
    (await attempt({ buffers: { x, y, dy: y } })).message,
    'scale_forward: elementwise.wgsl binds "x, y", but run() gave "dy, x, y"',
  );
  const { message } = await attempt({ dims: { quads: 0.5 } });
  assert.is(message, 'scale_forward: dims.quads is a u32, but run() gave 0.5');
});

commands('refuses a grid that no adapter runs, and clamps one that loops', async () => {
  const far = await rejection(() => device.commands([scaling(device, { over: [2, 70000] }).spec]));
  assert.is(
    far.message,
    'scale_forward: 1×70000×1 workgroups, but y and z end at 65535; use a smaller batch',
  );
  const [command] = await device.commands([scaling(device, { over: [5e6] }).spec]);
  // 2,048 invocations keep a CPU busy; a GPU takes what the limit allows.
  assert.equal(command.workgroups, [device.kind === 'gpu' ? 65535 : 32, 1, 1]);
});

commands('refuses a buffer that is too small for what a kernel takes it for', async () => {
  const state = device.buffer('too small for a step state', 16);
  const spec = {
    label: 'advance',
    shader: 'step',
    entry: 'step_advance',
    buffers: { state },
    dims: {},
    over: [1],
  };
  assert.instance(await rejection(() => device.commands([spec])), KernelError);
  assert.equal(await tripled(device, floats(1, 2)), [3, 6, 0, 0, 0, 0, 0, 0], 'the device works on');
});

const failures = suite('a device that fails');

failures('throws what was reported outside compile in the next call, and ever after', async () => {
  const { device: own, gpu } = await countedDevice();
  const made = await own.commands([scaling(own).spec]);
  gpu.createBuffer({ label: 'without usage', size: 16, usage: 0 });
  const error = await rejection(() => own.settled());
  assert.instance(error, DeviceError);
  assert.match(error.message, `${own.name}: Buffer usages must not be 0`);
  const later = [
    () => own.run(made, 1),
    () => own.buffer('more', 16),
    () => own.commands([]),
    () => own.download(scaling(own).x),
  ];
  for (const call of later) assert.is((await rejection(call)).message, error.message);
  own.destroy();
});

failures('says that it was lost', async () => {
  const { device: own, gpu } = await countedDevice();
  const { y, spec } = scaling(own);
  const made = await own.commands([spec]);
  const reader = own.reader(y, 32, 1);
  own.run(made, 1);
  gpu.destroy();
  const error = await rejection(() => reader.read());
  assert.instance(error, DeviceError);
  assert.match(error.message, `${own.name}: device lost (destroyed)`);
  for (const call of [
    () => own.run(made, 1),
    () => own.settled(),
    () => reader.read(),
    () => own.upload(y, floats(1)),
  ]) {
    assert.is((await rejection(call)).message, error.message);
  }
});

failures('says so when it is used after destroy(), and lets memory go all the same', async () => {
  const { device: own } = await countedDevice();
  const { x, spec } = scaling(own);
  const made = await own.commands([spec]);
  own.destroy();
  const expected = `${own.name}: the device was destroyed; open another`;
  assert.is((await rejection(() => own.run(made, 1))).message, expected);
  assert.is((await rejection(() => own.download(x))).message, expected);
  own.release(x);
  own.releaseCommands(made);
});

failures('leaves the other device of the process alone', async () => {
  const [first, second] = [await testDevice(), await testDevice()];
  const values = floats(1, 2, 3, 4, 5, 6, 7, 8);
  const results = await Promise.all([tripled(first, values), tripled(second, values)]);
  assert.equal(results[0], results[1]);
  first.destroy();
  assert.equal(await tripled(second, floats(2)), [6, 0, 0, 0, 0, 0, 0, 0]);
  second.destroy();
});

failures.after(() => device.destroy());
for (const one of [memory, commands, failures]) one.run();
