import { spawn } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDevice, reason, verify } from '../../cli/doctor.js';
import { AdapterError, listAdapters } from '../../engine/adapter.js';
import { testDevice } from '../support/device.js';
import { testWhen } from '../support/skip.js';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function doctor(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const node = spawn(process.execPath, ['cli/doctor.js', ...args], {
      env: { ...process.env, CTR_ADAPTER: '', ...env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let [out, err] = ['', ''];
    node.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    node.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    node.on('close', (code) => resolve({ code, out, err }));
  });
}

const command = suite('main');

command('lists adapters, says which it takes and why, and finds it exact', async () => {
  const { code, out, err } = await doctor([]);
  assert.is(code, 0, err);
  assert.match(
    out,
    new RegExp(`^node ${process.versions.node} on ${process.platform} ${process.arch}, webgpu \\d`),
  );
  assert.match(out, /\nCPU: .+\n {2}cpu, our kernels as WebAssembly, up to \d+ threads at once\n/);
  if (/\n {2}(gpu|software), /.test(out)) {
    assert.match(
      out,
      /\n {2}(gpu|software), (bundled for development|of the system), (vulkan|metal|d3d12)\n {2}features: /,
    );
    assert.match(out, /\n {2}maxStorageBufferBindingSize: \d+\n/);
  }
  const [, taken, why] = /\n--adapter=auto takes (.+): (there .+|a GPU .+)\n/.exec(out) ?? [];
  assert.ok(out.includes(`\n${taken}\n  `), `${taken} is listed`);
  assert.ok(why.length > 0);
  assert.match(out, /\na linear layer and its gradients are exact on .+ \(\d+ ms from its start on\)\n$/);
});

command('runs checked kernels on the threads that are asked for', async () => {
  const { code, out, err } = await doctor(['--adapter=cpu', '--threads=3', '--check']);
  assert.is(code, 0, err);
  assert.match(
    out,
    /\n--adapter=cpu takes CPU: .+: it is always there\n.+ are exact on CPU: .+, 3 threads \(/,
  );
  const none = await doctor(['--adapter=cpu', '--threads=0']);
  assert.match(none.err, /^doctor: --threads=0: /);
});

const softwareHere = (await listAdapters()).some(({ kind }) => kind === 'software');

testWhen(
  softwareHere,
  'there is no software Vulkan',
  command,
  'takes software Vulkan when asked for',
  async () => {
    const { code, out, err } = await doctor(['--adapter=software']);
    assert.is(code, 0, err);
    assert.match(out, /\n--adapter=software takes /);
    const threads = await doctor(['--adapter=software', '--threads=2']);
    assert.match(
      threads.err,
      /^doctor: --threads=2: is for kernels on the CPU, not for .+; leave it out, or /,
    );
  },
);

command('takes the adapter that the variable names', async () => {
  const { code, out, err } = await doctor([], { CTR_ADAPTER: 'CPU' });
  assert.is(code, 0, err);
  assert.match(out, /\nCTR_ADAPTER=CPU\n/);
  assert.match(out, /\nCTR_ADAPTER=CPU takes CPU: /);
});

command('ends with 1 and the names there are when the choice fits none', async () => {
  const { code, out, err } = await doctor(['--adapter=voodoo']);
  assert.is(code, 1);
  assert.match(out, /^node /);
  assert.match(err, /--adapter=voodoo: no such adapter, have ".+; choose auto or part of one of these names/);
});

const onLinux = process.platform === 'linux' ? command : command.skip;
if (onLinux !== command) console.log('SKIP no driver works: only Vulkan lets a variable name drivers');
onLinux('ends with 1 and what to do when no driver works', async () => {
  const { code, err } = await doctor([], { VK_ICD_FILENAMES: '/nowhere/icd.json', VK_DRIVER_FILES: '' });
  assert.is(code, 1);
  assert.match(
    err,
    /VK_ICD_FILENAMES=\/nowhere\/icd.json gives no adapter that Dawn accepts; correct or unset it/,
  );
});

command('knows its options', async () => {
  const help = await doctor(['--help']);
  assert.is(help.code, 0, help.err);
  assert.match(help.out, /--adapter/);
  const unknown = await doctor(['--adpter=gpu']);
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /^doctor: --adpter=gpu: no such option; did you mean adapter\?\n$/);
});

command.run();

const check = suite('checkDevice');

check('is content with the adapter at hand', async () => {
  const device = await testDevice();
  await checkDevice(device);
  device.destroy();
});

check.run();

const numbers = suite('verify');

numbers('says how many numbers are wrong and where the first is', () => {
  verify('a', 'y', Float32Array.of(1, 2), [1, 2]);
  assert.throws(
    () => verify('voodoo', 'y', Float32Array.of(1, 3, 4), [1, 2, 3]),
    (error: Error) =>
      error instanceof AdapterError &&
      error.message.startsWith(
        '"voodoo" computes wrong numbers: 2 of 3 in y, the first at 1 is 3 and not 2; ',
      ),
  );
});

numbers('takes no NaN and no missing number', () => {
  assert.throws(() => verify('a', 'y', Float32Array.of(Number.NaN), [1]), /the first at 0 is NaN and not 1/);
  assert.throws(() => verify('a', 'y', Float32Array.of(1), [1, 2]), /the first at 1 is undefined and not 2/);
});

numbers.run();

const why = suite('reason');

why('tells each way to an adapter apart', () => {
  const reasons = [
    reason('auto', { kind: 'gpu', origin: 'system' }),
    reason('auto', { kind: 'cpu' }),
    reason('auto', { kind: 'software', origin: 'system' }),
    reason('gpu', { kind: 'gpu', origin: 'system' }),
    reason('cpu', { kind: 'cpu' }),
    reason('software', { kind: 'software', origin: 'system' }),
    reason('software', { kind: 'software', origin: 'bundled' }),
    reason('pipe', { kind: 'software', origin: 'system' }),
  ];
  assert.is(new Set(reasons).size, reasons.length);
  assert.is(reasons[7], '"pipe" is part of its name');
});

why.run();
