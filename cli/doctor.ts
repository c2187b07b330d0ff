import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { AdapterError, cpuAdapter, findAdapter, listAdapters, openAdapter } from '../engine/adapter.js';
import { resolveChoice, type FoundAdapter } from '../engine/adapter.js';
import { Store, Tape, compile, linear, type Device } from '../engine/index.js';
import { readCommand } from './config/flags.js';
import { deviceOptions } from './config/options.js';

const help = {
  name: 'doctor',
  summary:
    'Lists the adapters of this machine, says which one would be used and why, and checks that it computes.',
  examples: ['node cli/doctor.js', 'node cli/doctor.js --adapter=cpu --threads=4'],
};

/** The limits that decide what a plan may bind and launch. */
const shownLimits = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
] as const;

/** Features that only drawing needs. */
const drawing = /texture|depth|float32|blend|clip|renderable|bgra8|primitive|indirect/;

function packageVersion(name: string): string {
  try {
    const text = readFileSync(new URL('package.json', import.meta.resolve(name)), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return 'not installed';
  }
}

function printVersions(): void {
  const { versions, platform, arch, env } = process;
  console.log(`node ${versions.node} on ${platform} ${arch}, webgpu ${packageVersion('webgpu')}`);
  for (const name of ['CTR_ADAPTER', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) {
    if (env[name]) console.log(`${name}=${env[name]}`);
  }
}

/** Everything worth knowing of an adapter, one fact a line. */
export function describeAdapter(found: FoundAdapter): string {
  if (found.kind === 'cpu') {
    return `${found.name}\n  cpu, our kernels as WebAssembly, up to ${found.cores} threads at once`;
  }
  const { adapter, name, kind, origin, backend } = found;
  const features = [...adapter.features].filter((feature) => !drawing.test(feature)).sort();
  return [
    name,
    `  ${kind}, ${origin === 'bundled' ? 'bundled for development' : 'of the system'}, ${backend}`,
    `  features: ${features.join(' ')}`,
    ...shownLimits.map((limit) => `  ${limit}: ${adapter.limits[limit]}`),
  ].join('\n');
}

/** Why `wanted` ('auto', 'gpu', 'cpu', 'software' or part of a name) leads to this adapter. */
export function reason(
  wanted: string,
  { kind, origin }: Pick<FoundAdapter, 'kind'> & { readonly origin?: 'system' | 'bundled' },
): string {
  if (wanted === 'gpu') return 'the best GPU of this system';
  if (wanted === 'cpu') return 'it is always there';
  if (wanted === 'software') {
    return origin === 'system'
      ? 'the software Vulkan of this system'
      : 'this system has no software Vulkan of its own, so the one for development';
  }
  if (wanted !== 'auto') return `"${wanted}" is part of its name`;
  if (kind === 'gpu') return 'a GPU goes first';
  return kind === 'cpu'
    ? 'there is no GPU that Dawn accepts, and our kernels are faster here than software Vulkan'
    : 'the drivers that are named offer no GPU';
}

/** All adapters; those of Dawn are left out, with the reason, where it does not load. */
async function adaptersHere(): Promise<readonly FoundAdapter[]> {
  try {
    return await listAdapters();
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    console.log(`\nno Vulkan, Metal or Direct3D: ${error.message}`);
    return [cpuAdapter()];
  }
}

/** Throws AdapterError if a result is not what it must be, to the last bit. */
export function verify(
  adapter: string,
  what: string,
  actual: Float32Array,
  expected: readonly number[],
): void {
  const wrong = expected.flatMap((value, i) => (actual[i] === value ? [] : [i]));
  if (wrong.length === 0 && actual.length === expected.length) return;
  const [first = expected.length] = wrong;
  throw new AdapterError(
    `"${adapter}" computes wrong numbers: ${wrong.length} of ${expected.length} in ${what}, the first at ${first} is ` +
      `${actual[first]} and not ${expected[first]}; update its driver, or choose another adapter with --adapter`,
  );
}

/** Small whole numbers, whose sums of products f32 holds exactly. */
const wholeNumbers = (count: number, factor: number) =>
  Array.from({ length: count }, (_, i) => ((i * factor) % 17) - 8);

/** Runs a linear layer and its gradients on the device; the answer is known exactly. Throws AdapterError. */
export async function checkDevice(device: Device): Promise<void> {
  const [rows, inner, cols] = [70, 52, 37]; // no multiples of a tile or a workgroup
  const x = wholeNumbers(rows * inner, 5);
  const w = wholeNumbers(cols * inner, 7);
  const dy = wholeNumbers(rows * cols, 11);
  const tape = new Tape({ training: true });
  const [tx, tw] = [tape.variable('x', [rows, inner]), tape.variable('w', [cols, inner])];
  const y = linear(tx, tw);
  const output = { y, dy: tape.input('dy', y.shape) };
  const store = new Store(device, 0);
  const plan = await compile(device, store, { tape, output, keep: [y] });
  for (const [name, values] of Object.entries({ x, w, dy })) store.write(name, Float32Array.from(values));
  plan.run(1);
  const product = dy.map((_, at) => {
    const [row, col] = [Math.floor(at / cols), at % cols];
    return sum(inner, (k) => x[row * inner + k] * w[col * inner + k]);
  });
  verify(device.name, 'linear_forward', await plan.read(y), product);
  const slope = w.map((_, at) => {
    const [col, k] = [Math.floor(at / inner), at % inner];
    return sum(rows, (row) => dy[row * cols + col] * x[row * inner + k]);
  });
  const gradient = plan.gradients.get(tw);
  if (gradient?.kind !== 'dense') throw new Error('linear: has no gradient of w');
  verify(device.name, 'linear_backward_w', await plan.read(gradient.tensor), slope);
}

const sum = (count: number, term: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((total, value) => total + value, 0);

/** The command `doctor`. Throws AdapterError if the choice fits none or the chosen one computes wrong numbers. */
export async function main(argv: readonly string[]): Promise<void> {
  const command = await readCommand(argv, help, deviceOptions);
  if ('help' in command) return void console.log(command.help);
  printVersions();
  for (const found of await adaptersHere()) console.log(`\n${describeAdapter(found)}`);
  const { adapter, threads, check } = command.values;
  const found = await findAdapter(adapter);
  const { wanted, where } = resolveChoice(adapter);
  console.log(`\n${where} takes ${found.name}: ${reason(wanted, found)}`);
  const start = performance.now();
  const device = await openAdapter(found, { threads: threads ?? undefined, checked: check });
  try {
    await checkDevice(device);
  } finally {
    device.destroy();
  }
  const ms = Math.round(performance.now() - start);
  console.log(`a linear layer and its gradients are exact on ${device.name} (${ms} ms from its start on)`);
}
