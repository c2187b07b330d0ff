import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AdapterError, openAdapter, readModule } from '../../engine/adapter.js';
import { openCpu } from '../../engine/cpu/open.js';
import type { Device } from '../../engine/index.js';
import { reflect } from '../../engine/reflect.js';
import { testAdapter } from '../support/adapters.js';
import type { Launch } from '../support/recording.js';
import { recordedLaunches, recordedWords, replay, warm } from '../support/replay.js';
import { testWhen } from '../support/skip.js';
import { shaderSources } from '../support/sources.js';

const sources = shaderSources();
const kernels = [...sources].flatMap(([name, source]) => [...reflect(name, source).values()]);

/** Dawn’s adapter, or why there is none. */
async function openDawn(): Promise<Device | string> {
  try {
    return await openAdapter(await testAdapter());
  } catch (error) {
    if (error instanceof AdapterError) return error.message;
    throw error;
  }
}

const dawn = await openDawn();
// Both take seconds: one in another process, one in threads of the driver.
const [launches] = await Promise.all([
  recordedLaunches(),
  typeof dawn === 'string' ? undefined : warm(dawn, kernels),
]);

const coverage = suite('tests of ops and optimizers');

coverage('launch every entry of every shader', () => {
  const launched = new Set(launches.map(({ entry }) => entry));
  const missing = kernels.filter(({ entry }) => !launched.has(entry));
  assert.equal(
    missing.map(({ shader, entry }) => `${shader}.wgsl: ${entry}`),
    [],
  );
});

const cpu = suite('kernels on the CPU');

const where = ({ shader, entry, label, dims }: Launch) =>
  `${label}: ${entry} of ${shader}.wgsl with ${JSON.stringify(dims)}`;

for (const threads of [1, 2, 3, 7]) {
  cpu(`give the bits of the checked ones in another process, on ${threads} threads`, async () => {
    const device = await openCpu({ threads, smallNs: 0, readModule: (name) => readModule(name, false) });
    const words = await replay(device, launches);
    device.destroy();
    recordedWords(launches).forEach((recorded, i) => assert.equal(words[i], recorded, where(launches[i])));
  });
}

/** What WGSL's types say of a buffer's words. */
function contentsOf({ shader }: Launch, variable: string): 'floats' | 'whole numbers' | 'both' {
  const declaration = new RegExp(`var<storage[^>]*>\\s+${variable}\\s*:\\s*([^;]+);`);
  const type = declaration.exec(sources.get(shader) ?? '')?.[1] ?? '';
  if (/^(array<)?(f32|vec\df)\b/.test(type)) return 'floats';
  return /^(array<)?(u32|i32|vec\d[ui])\b/.test(type) ? 'whole numbers' : 'both';
}

const exponent = 0x7f800000;
/** WGSL may take numbers below 2⁻¹²⁶ for zero. */
const isTiny = (word: number) => (word & exponent) === 0;
const isNaN = (word: number) => (word & 0x7fffffff) > exponent;

/** Largest difference, in units of the largest float; Infinity where whole numbers differ. */
function difference(got: Uint32Array, wanted: Uint32Array, contents: string): number {
  const [a, b] = [got, wanted].map(({ buffer }) => new Float32Array(buffer));
  const scale = b.reduce((most, one) => (Number.isFinite(one) ? Math.max(most, Math.abs(one)) : most), 0);
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    if (got[i] === wanted[i]) continue;
    const tiny = [got[i], wanted[i]].filter(isTiny).length;
    if (contents === 'whole numbers' || (contents === 'both' && tiny > 0)) return Infinity;
    if (tiny === 2 || (isNaN(got[i]) && isNaN(wanted[i]))) continue;
    const error = Math.abs(a[i] - b[i]) / scale;
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
  }
  return largest;
}

/** The text of an entry and of the functions that it calls. */
function reached({ shader, entry }: Launch): string {
  const source = (sources.get(shader) ?? '').replace(/\/\/.*/g, '');
  const bodies = new Map([...source.matchAll(/\bfn\s+(\w+)[^]*?^}/gm)].map(([text, name]) => [name, text]));
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const text = bodies.get(name);
    if (text === undefined || seen.has(name)) return;
    seen.add(name);
    for (const [, called] of text.matchAll(/\b(\w+)\s*\(/g)) visit(called);
  };
  visit(entry);
  return [...seen].map((name) => bodies.get(name)).join('\n');
}

/**
 * Functions for which WGSL allows errors, or sums in any order. Kernels without them add, subtract, multiply, compare and
 * copy, in the same order everywhere. Software drivers round each of these (and quotients and roots); GPUs may join a
 * product and a sum.
 */
const inexact =
  /\b(a?sinh?|a?cosh?|a?tanh?|atan2|exp2?|log2?|pow|inverseSqrt|mix|dot|length|distance|normalize|fma)\s*\(/;

const gpu = suite('kernels on Dawn');
const because = typeof dawn === 'string' ? dawn : '';

testWhen(because === '', because, gpu, 'give the numbers of those on the CPU', async () => {
  const device = dawn as Device;
  // A GPU's sine may be 2⁻¹¹ off.
  const tolerance = device.kind === 'gpu' ? 2 ** -10 : 2e-6;
  const words = await replay(device, launches);
  const recorded = recordedWords(launches);
  const wrong: string[] = [];
  let same = 0;
  launches.forEach((launch, i) => {
    const exact = device.kind === 'software' && !inexact.test(reached(launch));
    const kernel = kernels.find(({ entry }) => entry === launch.entry);
    for (const { name, writable } of kernel?.storage ?? []) {
      const at = launch.buffers[name];
      const [got, wanted] = [words[i][at], recorded[i][at]];
      if (!writable || got === undefined || wanted === undefined) continue;
      const error = difference(got, wanted, contentsOf(launch, name));
      if (exact && error === 0) same++;
      if (error > (exact ? 0 : tolerance)) wrong.push(`${where(launch)}: ${name} is ${error} off`);
    }
  });
  assert.equal(wrong, []);
  assert.ok(device.kind === 'gpu' || same > launches.length / 2, `${same} buffers are the same bit for bit`);
});

gpu.after(() => {
  if (typeof dawn !== 'string') dawn.destroy();
});
for (const one of [coverage, cpu, gpu]) one.run();
